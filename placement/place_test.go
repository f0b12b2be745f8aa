package placement

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// together is one set of n units.
func together(n int) [][]int {
	set := make([]int, n)
	for i := range set {
		set[i] = i
	}
	return [][]int{set}
}

// Each set was half on a node that is gone: none can have what is kept for the other.
func TestSetsThatWaitForMoreKeepTheirSlots(t *testing.T) {
	units := []Unit{{Previous: Slot{"a", 0}}, {Previous: Slot{"gone", 0}}, {Previous: Slot{"a", 1}}, {Previous: Slot{"gone", 1}}}
	sets := [][]int{{0, 1}, {2, 3}}
	got, why := Place(units, sets, []Offer{{Node: "a", Slots: 2}})
	if got != nil || len(why) != 4 || !strings.Contains(why[0].Why, "kept for what was there") {
		t.Errorf("%+v %+v", got, why)
	}
	got, why = Place(units, sets, []Offer{{Node: "a", Slots: 2}, {Node: "b", Slots: 1}})
	if len(got) != 2 || got[0].Slot != (Slot{"a", 0}) || got[1].Slot != (Slot{"b", 0}) || len(why) != 2 {
		t.Errorf("%+v %+v", got, why)
	}
}

func TestUnitReturnsToItsSlot(t *testing.T) {
	got, _ := Place([]Unit{{Index: 0, Previous: Slot{"b", 1}}, {Index: 1}}, together(2), []Offer{{Node: "a", Slots: 1}, {Node: "b", Slots: 2}})
	if got[0].Slot != (Slot{"b", 1}) || got[1].Slot != (Slot{"a", 0}) {
		t.Errorf("%+v", got)
	}
}

func TestLocalStateComesBeforeSpread(t *testing.T) {
	got, _ := Place([]Unit{{Previous: Slot{"gone", 0}, Local: []LocalState{{"a", 10}, {"b", 20}}}}, together(1), []Offer{{Node: "a", Slots: 9}, {Node: "b", Slots: 1}, {Node: "c", Slots: 9}})
	if got[0].Slot.Node != "b" || !strings.Contains(got[0].Why, "20 bytes") {
		t.Errorf("%+v", got)
	}
}

func TestUnitsSpreadOverExecutors(t *testing.T) {
	got, _ := Place(make([]Unit, 4), together(4), []Offer{{Node: "a", Slots: 2}, {Node: "b", Slots: 2}})
	nodes := map[string]int{}
	for _, a := range got {
		nodes[a.Slot.Node]++
	}
	if nodes["a"] != 2 || nodes["b"] != 2 {
		t.Errorf("%+v", got)
	}
}

func TestAllOrNoneWithReasons(t *testing.T) {
	got, why := Place([]Unit{{}, {Index: 1, Previous: Slot{"x", 0}}}, together(2), []Offer{{Node: "a", Slots: 2, Taken: []int{1}}})
	if got != nil || len(why) != 2 || !strings.Contains(why[0].Why, "1 executors offer 2 slots, 1 are free: too few for all that must run together") || !strings.Contains(why[1].Why, "; x, where it was, is gone") {
		t.Errorf("%+v %+v", got, why)
	}
}

// For random demands: every slot is free and given once, previous slots are kept, and the
// order of the offers does not matter.
func TestPlacementUnderRandomDemand(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 3000 {
		var offers []Offer
		for _, n := range []string{"a", "b", "c", "d"}[:1+r.IntN(4)] {
			o := Offer{Node: n, Slots: r.IntN(4)}
			for i := range o.Slots {
				if r.IntN(4) == 0 {
					o.Taken = append(o.Taken, i)
				}
			}
			offers = append(offers, o)
		}
		units := make([]Unit, r.IntN(6))
		held := map[Slot]bool{}
		for i := range units {
			if s := (Slot{string(rune('a' + r.IntN(5))), r.IntN(3)}); r.IntN(2) == 0 && !held[s] {
				units[i].Previous, held[s] = s, true
			}
		}
		got, refused := Place(units, together(len(units)), offers)
		check(t, units, offers, got, refused)
		slices.Reverse(offers)
		if again, _ := Place(units, together(len(units)), offers); !reflect.DeepEqual(got, again) {
			t.Fatalf("another order of offers: %+v and %+v", got, again)
		}
	}
}

func check(t *testing.T, units []Unit, offers []Offer, got []Assigned, refused []Refusal) {
	t.Helper()
	free := map[Slot]bool{}
	for _, o := range offers {
		for i := range o.Slots {
			if !slices.Contains(o.Taken, i) {
				free[Slot{o.Node, i}] = true
			}
		}
	}
	enough := len(free) >= len(units)
	if enough != (len(refused) == 0) || !enough && got != nil || enough && len(got) != len(units) {
		t.Fatalf("%d units, %d free slots: %+v %+v", len(units), len(free), got, refused)
	}
	for _, a := range got {
		if p := units[a.Unit].Previous; free[p] && a.Slot != p {
			t.Fatalf("unit %d was at %v, which is free, and got %v", a.Unit, p, a.Slot)
		}
	}
	for _, a := range got {
		if !free[a.Slot] {
			t.Fatalf("%v is not free", a.Slot)
		}
		delete(free, a.Slot)
	}
}
