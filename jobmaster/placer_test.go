package jobmaster

import (
	"fmt"
	"testing"
	"time"

	"blink/actors"
	"blink/jobmaster/exec"
	"blink/placement"
	"blink/sim/world"
)

// crowd is a parent of a placer that, like a JobMaster, asks again for what got no slot.
type crowd struct {
	placer   actors.Ref
	waiting  int
	answers  []time.Time
	assigned map[placement.Slot]bool
}

func (j *crowd) Receive(c *actors.Ctx, m any) (err error) {
	switch m := m.(type) {
	case actors.Started:
		j.placer, err = c.Spawn("placement", "placement", func() actors.Actor { return newPlacer(Config{}, 1) })
		j.ask(c)
		return err
	case exec.Placed:
		j.answers = append(j.answers, c.Now())
		for _, u := range m.Units {
			if j.assigned[u.Slot] {
				return fmt.Errorf("%v is given twice", u.Slot)
			}
			j.assigned[u.Slot] = true
		}
		j.waiting -= len(m.Units)
		j.ask(c)
	}
	return nil
}

// ask asks for a slot for each unit that waits, each of use alone.
func (j *crowd) ask(c *actors.Ctx) {
	p := exec.Place{}
	for s := range j.assigned { // as taken: any order will do
		p.Taken = append(p.Taken, s)
	}
	for i := range j.waiting {
		p.Units = append(p.Units, exec.Unit{Group: "default", Index: i})
		p.Regions = append(p.Regions, []int{i})
	}
	c.Tell(j.placer, p)
}

// Executors arrive one by one, a millisecond apart. The first is used at once, and looking for
// slots is not repeated for each of the others.
func TestExecutorsThatArriveTogetherArePlacedTogether(t *testing.T) {
	const executors = 200
	w := world.New(1, world.Options{})
	t.Cleanup(w.Close)
	sys := w.Node("a", world.Clock{}).Start()
	j := &crowd{waiting: executors, assigned: map[placement.Slot]bool{}}
	if _, err := sys.Spawn("test", "job", func() actors.Actor { return j }); err != nil {
		t.Fatal(err)
	}
	pass := func(d time.Duration) {
		t.Helper()
		if err := w.Run(w.Elapsed() + d); err != nil {
			t.Fatal(err)
		}
	}
	pass(time.Millisecond)
	var offers []offer
	for i := range executors {
		offers = append(offers, offer{fmt.Sprintf("te%03d", i), 1})
		sys.Tell(j.placer, offered{append([]offer(nil), offers...)})
		if pass(time.Millisecond); i == 0 && len(j.answers) != 1 {
			t.Fatalf("%d answers to the first", len(j.answers))
		}
	}
	if pass(placeEvery); j.waiting != 0 {
		t.Errorf("%d units have no slot", j.waiting)
	}
	if n := len(j.answers); n > executors/10 {
		t.Errorf("slots were given %d times", n)
	}
	for i := 1; i < len(j.answers); i++ {
		if d := j.answers[i].Sub(j.answers[i-1]); d < placeEvery {
			t.Errorf("%v between two answers", d)
		}
	}
}
