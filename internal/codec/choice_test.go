package codec

import (
	"encoding/hex"
	"reflect"
	"strings"
	"testing"
)

type (
	shape  interface{ area() float64 }
	circle struct{ R float64 }
	square struct{ Side int16 }
	dot    struct{}
	group  struct {
		Name  string
		Parts []shape
	}
	drawing struct {
		First shape
		N     uint8
		More  map[string]shape
	}
)

func (c circle) area() float64  { return c.R * c.R * 3 }
func (s *square) area() float64 { return float64(s.Side) * float64(s.Side) }
func (dot) area() float64       { return 0 }
func (g group) area() float64   { return float64(len(g.Parts)) }

func shapes() { OneOf[shape](circle{}, &square{}, dot{}, group{}) }

func drawings() []drawing {
	return []drawing{
		{First: circle{2}, N: 1},
		{N: 2},
		{First: &square{3}, N: 3, More: map[string]shape{"a": dot{}, "b": nil, "c": group{"inner", []shape{circle{1}, nil, group{Parts: []shape{}}}}}},
	}
}

func TestInterfacesReadBackWithTheirTypes(t *testing.T) {
	shapes()
	shapes() // it is called in every process, and each time a job is built
	c, want := codecOf[drawing](t), drawings()
	data, err := c.Append(nil, want)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []*Codec[drawing]{c, c.Shared()} {
		if got, err := c.Decode([]drawing{want[2], want[2], want[0]}, data); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%v\ngot  %+v\nwant %+v", err, got, want)
		}
	}
}

// The stored form is for ever: a byte that numbers the types by their names, from 1 on.
func TestStoredInterfacesNeverChange(t *testing.T) {
	shapes()
	c := codecOf[struct{ S shape }](t)
	data, err := c.Append(nil, []struct{ S shape }{{&square{5}}, {nil}, {circle{1.5}}, {dot{}}})
	if err != nil {
		t.Fatal(err)
	}
	// *codec.square, codec.circle, codec.dot, codec.group
	if got, want := hex.EncodeToString(data), "04000000"+"01010500"+"00"+"02000000000000f83f"+"03"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	want := "S(*codec.square)*.Side int16\nS(codec.circle).R float64\nS(codec.dot) nothing\nS(codec.group).Name string\nS(codec.group).Parts[] as level 1"
	if c.Schema() != want {
		t.Errorf("schema\n%s\nwant\n%s", c.Schema(), want)
	}
	for n := range data {
		if _, err := c.Decode(nil, data[:n]); err == nil {
			t.Errorf("%d of %d bytes were taken", n, len(data))
		}
	}
	data[4] = 5
	if _, err := c.Decode(nil, data); err == nil || !strings.Contains(err.Error(), "5 says which of 4 types") {
		t.Errorf("a number of no type: %v", err)
	}
}

type stranger struct{}

func (stranger) area() float64 { return 0 }

func TestATypeThatWasNotNamedIsRefusedByName(t *testing.T) {
	shapes()
	_, err := codecOf[drawing](t).Append(nil, []drawing{{First: stranger{}}})
	if err == nil || !strings.Contains(err.Error(), "a codec.stranger in a codec.shape cannot be stored: name it in blink.OneOf[codec.shape]") {
		t.Errorf("got %v", err)
	}
}

func TestWhatIsWrongWithOneOfIsToldOfEveryTypeThatNeedsIt(t *testing.T) {
	type unnamed interface{ m1() }
	type none interface{ m2() }
	type twice interface{ m3() }
	type unstored interface{ m4() }
	OneOf[none]()
	OneOf[twice](nil)
	OneOf[unstored](held{})
	type conflict interface{ m4() }
	OneOf[conflict](held{})
	OneOf[conflict](held{}, other{})
	for _, c := range []struct {
		err  error
		want string
	}{
		{Storable[struct{ U unnamed }](), "field U of type codec.unnamed cannot be stored: it is an interface: use a concrete type, or name those that it may hold with blink.OneOf[codec.unnamed]"},
		{Storable[[]none](), "blink.OneOf[codec.none]: no type is named"},
		{Storable[twice](), "a nil value has no type"},
		{Storable[struct{ U unstored }](), "field U.(codec.held).Bad of type chan int cannot be stored: it is a chan"},
		{Storable[conflict](), "it is called with [codec.held] and with [codec.held codec.other]: name all types at one place"},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.want) {
			t.Errorf("got %v, want %q", c.err, c.want)
		}
	}
}

type held struct{ Bad chan int }

func (held) m4() {}

type other struct{}

func (other) m4() {}

func TestAnInterfaceMayHoldMoreTypesButNotFewer(t *testing.T) {
	shapes()
	now := codecOf[struct{ S shape }](t)
	old := "S(*codec.square)*.Side int8\nS(codec.circle).R float32" // a circle was number 2, and narrower
	reader, err := now.Reads(old)
	if err != nil {
		t.Fatal(err)
	}
	data := must(hex.DecodeString("03000000" + "010107" + "00" + "020000c03f"))
	want := []struct{ S shape }{{&square{7}}, {}, {circle{1.5}}}
	if got, err := reader.Decode(nil, data); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v: got %+v, want %+v", err, got, want)
	}
	gone := "S(codec.circle).R float64\nS(codec.triangle).A float64"
	changes, err := Compare(gone, now.Schema())
	if want := []Change{{Path: "S(codec.triangle)", Was: "codec.triangle", Is: "not there"}}; err != nil || !reflect.DeepEqual(changes, want) {
		t.Errorf("got %+v, %v, want %+v", changes, err, want)
	}
	if _, err := now.Reads(gone); err == nil || !strings.Contains(err.Error(), `"S(codec.triangle)" was codec.triangle and is not there now`) {
		t.Errorf("got %v", err)
	}
	dropped, err := codecOf[struct{ N int8 }](t).Reads("S(a.b).R float64\nS(a.c) string\nN int8")
	if err != nil {
		t.Fatal(err)
	}
	is, err := dropped.Decode(nil, must(hex.DecodeString("02000000"+"02020000006162"+"00"+"0506")))
	if err != nil || len(is) != 2 || is[1].N != 6 {
		t.Errorf("a field that is gone: %+v, %v", is, err)
	}
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}

func TestASchemaWithWrongTypesOfInterfacesIsRefused(t *testing.T) {
	for text, want := range map[string]string{
		"S(a.b int64":                         "no name of a type",
		"S() int64":                           "no name of a type",
		"S(a.b) int64\nS[] int64":             "two kinds",
		"S[] int64\nS(a.b) int64":             "two kinds",
		"S(a) int64\nS(b) int64\nS(a).B int8": "side by side",
		"S(a) as level 1":                     "",
	} {
		_, err := Compare(text, "A int64")
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
}

func FuzzInterfacesAreReadWithoutPanic(f *testing.F) {
	shapes()
	fuzzDecode(f, drawings()...)
}
