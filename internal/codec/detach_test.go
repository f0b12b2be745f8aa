package codec

import (
	"reflect"
	"runtime"
	"strings"
	"testing"
	"unsafe"
	"weak"
)

// letters has strings wherever a type can have some.
type letters struct {
	Plain  string
	Few    [2]string
	Many   [longArray]string
	Slices [][]string
	Map    map[string]string
	Behind *letters
	Any    shape
}

func TestWhatIsDetachedKeepsNothingOfTheData(t *testing.T) {
	shapes()
	c := codecOf[letters](t)
	want := letters{
		Plain: "plain", Few: [2]string{1: "few"}, Many: [longArray]string{3: "many"}, Slices: [][]string{nil, {"", "slices"}},
		Map: map[string]string{"a": "", "b": "map"}, Any: group{"any", []shape{nil, &square{1}, group{Name: "inner", Parts: []shape{}}}},
		Behind: &letters{Plain: "behind", Any: circle{1}},
	}
	data, err := c.Append(nil, []letters{want})
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.Shared().Decode(nil, data)
	if err != nil {
		t.Fatal(err)
	}
	kept := weak.Make(unsafe.SliceData(data))
	c.Detach(&got[0], nil, MemoryOf(data))
	data = nil
	runtime.GC()
	if kept.Value() != nil {
		t.Error("the data is in use still")
	}
	if !reflect.DeepEqual(got[0], want) {
		t.Errorf("got  %+v\nwant %+v", got[0], want)
	}
}

// A map may be ranged over by whoever gave it: it is another one that is detached.
func TestAMapIsDetachedAsAnotherOne(t *testing.T) {
	c, given := codecOf[map[string]string](t), map[string]string{"a": "1"}
	v := given
	if c.Detach(&v, nil, Memory{}); reflect.ValueOf(v).Pointer() != reflect.ValueOf(given).Pointer() {
		t.Error("it was copied although nothing is lent")
	}
	if c.Detach(&v, nil, Anywhere()); reflect.ValueOf(v).Pointer() == reflect.ValueOf(given).Pointer() || v["a"] != "1" {
		t.Errorf("it is the same, %v", v)
	}
}

func TestStringsThatWereThereAreNotCopiedAgain(t *testing.T) {
	c := codecOf[[2]string](t)
	was := [2]string{strings.Clone("a"), strings.Clone("b")}
	v := [2]string{was[0], strings.Clone("c")}
	new := v
	c.Detach(&v, &was, Anywhere())
	if unsafe.StringData(v[0]) != unsafe.StringData(was[0]) || unsafe.StringData(v[1]) == unsafe.StringData(new[1]) || v != new {
		t.Errorf("%q: the first must be the same string, the second a copy", v)
	}
	v = new
	if c.Detach(&v, nil, MemoryOf([]byte("elsewhere"))); unsafe.StringData(v[0]) != unsafe.StringData(new[0]) {
		t.Error("what lies elsewhere was copied")
	}
}

// Others may be reading what a value refers to, such as another task that got the same record.
func TestWhatOthersMayReadIsDetachedAsACopy(t *testing.T) {
	type tags struct {
		List   []string
		Behind *string
	}
	text := "bc"
	data := []byte("a" + text)
	given := tags{[]string{unsafe.String(&data[0], 1)}, new(string)}
	*given.Behind = unsafe.String(&data[1], 2)
	v := given
	codecOf[tags](t).Detach(&v, nil, MemoryOf(data))
	if unsafe.StringData(given.List[0]) != &data[0] || unsafe.StringData(*given.Behind) != &data[1] {
		t.Error("what was given has changed")
	}
	if m := MemoryOf(data); m.holds(v.List[0]) || m.holds(*v.Behind) || !reflect.DeepEqual(v, given) {
		t.Errorf("%+v is not detached", v)
	}
	was := v
	if codecOf[tags](t).Detach(&v, nil, MemoryOf(data)); unsafe.SliceData(v.List) != unsafe.SliceData(was.List) || v.Behind != was.Behind {
		t.Error("what is detached was copied again")
	}
}

// knot may lead to itself in more ways than can be gone.
type knot struct {
	Name  string
	Ahead [3]*knot
}

// ring leads to itself, and to no string.
type ring struct {
	N     int
	Ahead *ring
	More  map[int8][]ring
}

func TestOnlyTypesWithStringsShareMemory(t *testing.T) {
	if codecOf[ring](t).Shares() || codecOf[[]map[int]*float64](t).Shares() || codecOf[[20]int](t).Shares() {
		t.Error("there is no string in it")
	}
	if !codecOf[knot](t).Shares() || !codecOf[map[int][]knot](t).Shares() {
		t.Error("there is a string in it")
	}
}

// What is too deep to be stored is left alone, and at once.
func TestACycleIsNotFollowedForEver(t *testing.T) {
	data := []byte("name")
	for _, name := range []string{"", unsafe.String(&data[0], 4)} {
		k := &knot{Name: name}
		k.Ahead = [3]*knot{k, k, k}
		v := *k
		codecOf[knot](t).Detach(&v, nil, MemoryOf(data))
	}
}

func TestStringsOfAFlatTypeStandInIt(t *testing.T) {
	type names struct {
		First string
		More  [2][1]string
		Many  [longArray]string
		Left  []string `blink:"-"`
		Marks []int
	}
	if !codecOf[names](t).Flat() || !codecOf[ring](t).Flat() {
		t.Error("none is behind a slice or a pointer")
	}
	if codecOf[[][1]string](t).Flat() || codecOf[[1][]string](t).Flat() || codecOf[knot](t).Flat() {
		t.Error("some are behind a slice or a pointer")
	}
}
