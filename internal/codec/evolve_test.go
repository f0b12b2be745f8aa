package codec

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"
)

// follows stores values of A and reads them as B.
func follows[A, B any](t *testing.T, was []A, is []B) {
	t.Helper()
	old, now := codecOf[A](t), codecOf[B](t)
	if changes, err := Compare(old.Schema(), now.Schema()); err != nil || len(changes) > 0 {
		t.Errorf("%T to %T: %+v, %v", was, is, changes, err)
		return
	}
	reader, err := now.Reads(old.Schema())
	if err != nil {
		t.Error(err)
		return
	}
	data, err := old.Append(nil, was)
	if err != nil {
		t.Fatal(err)
	}
	recycled := make([]B, len(is))
	for i := range recycled {
		recycled[i] = is[len(is)-1]
	}
	got, err := reader.Decode(recycled, data)
	if err != nil || !reflect.DeepEqual(got, is) {
		t.Errorf("%T to %T: %v\ngot  %+v\nwant %+v", was, is, err, got, is)
		return
	}
	mine, err1 := reader.Append(nil, got)
	new, err2 := now.Append(nil, is)
	if err1 != nil || err2 != nil || string(mine) != string(new) {
		t.Errorf("%T: a codec that reads an old form writes another than the new one (%v, %v)", is, err1, err2)
	}
}

type (
	base    struct{ A, B int32 }
	wider   struct{ B, A int64 }
	tree    struct{ Left, Right *tree }
	bigTree struct {
		Right *bigTree
		Label []string
		Left  *bigTree
	}
	ping struct{ To *pong }
	pong struct{ Back ping }
	pang struct{ To pung } // holds what ping points to, and points to what pong holds
	pung struct{ Back *pang }
)

// Nothing is in a blank field, however many there are.
func TestBlankFieldsAreNotStored(t *testing.T) {
	type padded struct {
		A int8
		_ [7]byte
		_ [0]func()
		B int8
		_ struct{ X, Y int32 }
	}
	if s := codecOf[padded](t).Schema(); s != "A int8\nB int8" {
		t.Errorf("schema %q", s)
	}
	follows(t, []padded{{A: 1, B: 2}, {A: 3}}, []struct {
		_ int
		B int64
		C string
		A int8
		_ int
	}{{A: 1, B: 2}, {A: 3}})
	type key struct {
		A int8
		_ [7]byte
	}
	if err := Keyable[key](); err != nil {
		t.Error(err)
	}
	follows(t, []map[key]int{{key{A: 1}: 2}}, []map[key]int{{key{A: 1}: 2}})
}

func TestStoredValuesFollowTheirType(t *testing.T) {
	type event struct {
		Name string
		At   time.Time
		N    int16
		Ok   bool
		old  []map[string]*base
	}
	type slim struct {
		Extra []string
		N     int64
		Name  string
		Gone  func() `blink:"-"`
	}
	at := time.Unix(5, 6).UTC()
	gone := []map[string]*base{{"x": {1, 2}, "y": nil}, nil}
	follows(t, []event{{"a", at, -1, true, gone}, {"", at, 7, false, nil}}, []slim{{N: -1, Name: "a"}, {N: 7}})
	follows(t, []slim{{Extra: []string{"e"}, N: 3, Name: "s"}}, []struct {
		Name string
		More struct{ Deep *int }
	}{{Name: "s"}})

	type ints struct {
		A int8
		B uint8
		C uint32
		D int32
		E int16
		F float32
		G uint16
	}
	follows(t, []ints{{-128, 255, 1<<32 - 1, -1 << 31, -1 << 15, 1.5, 65535}}, []struct {
		A int
		B int16
		C float64
		D float64
		E float32
		F float64
		G uint
	}{{-128, 255, 1<<32 - 1, -1 << 31, -1 << 15, 1.5, 65535}})
	follows(t, []int32{1 << 30, -5}, []int64{1 << 30, -5})
	follows(t, []uint8{200}, []uint16{200})

	type holder[T any] struct {
		List  []T
		Short [2]T
		Long  [20]T
		Map   map[string]T
		Ptr   *T
		Deep  [][]map[int8][]T
		base
	}
	fill := func(x, y base) (h holder[base]) {
		h.List, h.Short, h.Long, h.Map, h.Ptr, h.base = []base{x, y}, [2]base{x, y}, [20]base{3: x}, map[string]base{"x": x, "": y}, &y, x
		h.Deep = [][]map[int8][]base{nil, {nil, {}, {1: nil, 2: {}, 3: {x, y}}}}
		return h
	}
	fillWide := func(x, y wider) (h holder[wider]) {
		h.List, h.Short, h.Long, h.Map, h.Ptr, h.base = []wider{x, y}, [2]wider{x, y}, [20]wider{3: x}, map[string]wider{"x": x, "": y}, &y, base{int32(x.A), int32(x.B)}
		h.Deep = [][]map[int8][]wider{nil, {nil, {}, {1: nil, 2: {}, 3: {x, y}}}}
		return h
	}
	follows(t, []holder[base]{fill(base{1, 2}, base{3, 4}), {}, fill(base{5, 6}, base{})}, []holder[wider]{fillWide(wider{2, 1}, wider{4, 3}), {}, fillWide(wider{6, 5}, wider{})})
	follows(t, []holder[base]{fill(base{1, 2}, base{3, 4}), {}}, []struct{ base }{{base{1, 2}}, {}})
	follows(t, []map[[2]string][]base{{{"a"}: {{1, 2}}}}, []map[[2]string][]*wider{{{"a"}: {{2, 1}}}})

	// T and *T
	one, two := 1, 2
	type direct struct {
		N    int
		In   base
		Each [2]int
		Many []int
	}
	type behind struct {
		N    *int
		In   *wider
		Each [2]*int
		Many []*int
	}
	follows(t, []direct{{1, base{3, 4}, [2]int{1, 2}, []int{2, 1}}}, []behind{{&one, &wider{4, 3}, [2]*int{&one, &two}, []*int{&two, &one}}})
	follows(t, []behind{{&one, &wider{4, 3}, [2]*int{nil, &two}, []*int{&two, nil}}, {}}, []struct {
		N    int
		In   wider
		Each [2]int
		Many []int
	}{{1, wider{4, 3}, [2]int{0, 2}, []int{2, 0}}, {}})
	follows(t, []*base{{1, 2}, nil}, []wider{{2, 1}, {}})
	follows(t, []base{{1, 2}}, []*wider{{2, 1}})

	// types inside themselves
	follows(t, []tree{{&tree{&tree{}, nil}, &tree{}}}, []bigTree{{Left: &bigTree{Left: &bigTree{}}, Right: &bigTree{}}})
	follows(t, []bigTree{{Left: &bigTree{Label: []string{"x"}}}}, []tree{{Left: &tree{}}})
	follows(t, []*node{{1, &node{2, nil}}}, []*struct{ Next *node }{{&node{2, nil}}})
	follows(t, []ping{{&pong{ping{&pong{}}}}}, []pang{{pung{&pang{pung{&pang{}}}}}})

	// bytes of their own, and what is dropped of each kind
	follows(t, []everything{full(), {}, full()}, []struct {
		Addr    netip.Addr
		Private string `blink:",was=private"`
		I       int
	}{{full().Addr, "kept", -5}, {}, {full().Addr, "kept", -5}})
	follows(t, []hollow{{N: 2, Empty: make([]struct{}, 3), Bare: make([]bare, 2), Known: map[uint8]bare{7: {}}}}, []struct {
		M     uint16 `blink:"M,was=N"`
		Empty []struct{ New int32 }
	}{{2, make([]struct{ New int32 }, 3)}})
}

func TestARenamedFieldTakesOverTheOldOne(t *testing.T) {
	type was struct{ Hits, Misses int32 }
	follows(t, []was{{1, 2}}, []struct {
		Misses int32
		Count  int64 `blink:"Count,was=Hits"`
	}{{2, 1}})
	type stored struct {
		Count  int64 `blink:"hits,was=h,was=Hits"`
		Missed int32 `blink:",was=Misses"`
	}
	if s := codecOf[stored](t).Schema(); s != "hits=h=Hits int64\nMissed=Misses int32" {
		t.Errorf("schema %q", s)
	}
	follows(t, []was{{1, 2}}, []stored{{1, 2}})
	follows(t, []stored{{3, 4}}, []stored{{3, 4}})
	follows(t, []stored{{3, 4}}, []struct {
		Hits *int64 `blink:"hits"`
	}{{new(int64(3))}})
	type outer struct {
		In *was `blink:"In,was=Of"`
	}
	follows(t, []struct{ Of was }{{was{5, 6}}}, []outer{{&was{5, 6}}})
	// What has the new name is not the old one, even if both were stored.
	follows(t, []struct{ Count, Hits int64 }{{7, 8}}, []struct {
		Count int64 `blink:"Count,was=Hits"`
	}{{7}})
	for text, err := range map[string]error{
		`field B of type int cannot be stored: another field is or was stored as A, too`: Storable[struct {
			A int
			B int `blink:"A"`
		}](),
		`another field is or was stored as B, too`: Storable[[]struct {
			A int `blink:",was=B"`
			B int
		}](),
		`field A of type int cannot be stored: its tag has "wasB": only was=name follows the name`: Storable[struct {
			A int `blink:"A,wasB"`
		}](),
		`its tag has "a b", which is no name of a field`: Storable[struct {
			A int `blink:"a b"`
		}](),
	} {
		if err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("got %v, want %q", err, text)
		}
	}
}

// refuses compares A with B, and says how they differ.
func refuses[A, B any](t *testing.T, want string, keys ...string) {
	t.Helper()
	old, now := codecOf[A](t), codecOf[B](t)
	changes, err := Compare(old.Schema(), now.Schema(), keys...)
	var got []string
	for _, c := range changes {
		got = append(got, fmt.Sprintf("%s: %s, %s", c.Path, c.Was, c.Is))
		if c.Key {
			got[len(got)-1] += " (key)"
		}
	}
	if err != nil || strings.Join(got, "; ") != want {
		t.Errorf("got %q (%v), want %q", strings.Join(got, "; "), err, want)
	}
	if _, err := now.Reads(old.Schema()); (err == nil) != (want == "") && len(keys) == 0 {
		t.Errorf("%q: %v", old.Schema(), err)
	}
}

func TestWhatAStoredValueCannotFollowIsNamed(t *testing.T) {
	type s[T any] struct{ At T }
	refuses[s[time.Time], s[string]](t, "At: time.Time, string")
	refuses[s[int64], s[int32]](t, "At: int64, int32")
	refuses[s[int8], s[uint64]](t, "At: int8, uint64")
	refuses[s[uint8], s[int8]](t, "At: uint8, int8")
	refuses[s[uint64], s[int64]](t, "At: uint64, int64")
	refuses[s[int64], s[float64]](t, "At: int64, float64")
	refuses[s[int32], s[float32]](t, "At: int32, float32")
	refuses[s[float64], s[float32]](t, "At: float64, float32")
	refuses[s[float32], s[int64]](t, "At: float32, int64")
	refuses[s[bool], s[uint8]](t, "At: bool, uint8")
	refuses[s[time.Duration], s[time.Time]](t, "At: int64, time.Time")
	refuses[s[string], s[[]byte]](t, "At: string, []uint8")
	refuses[s[int], s[[]int]](t, "At: int64, []int64")
	refuses[s[[3]int], s[[]int]](t, "At: [3]int64, []int64")
	refuses[s[[3]int], s[[4]int]](t, "At: [3]int64, [4]int64")
	refuses[s[[3]string], s[[3]int]](t, "At[3]: string, int64")
	refuses[s[base], s[int]](t, "At: struct, int64")
	refuses[s[netip.Addr], s[netip.AddrPort]](t, "At: netip.Addr, netip.AddrPort")
	refuses[s[int], s[**int]](t, "At: int64, **int64")
	refuses[s[**int], s[int]](t, "At: **int64, int64")
	refuses[s[map[string]int], s[map[int]int]](t, "At[key]: string, int64 (key)")
	refuses[s[map[int32]int], s[map[int64]int]](t, "At[key]: int32, int64 (key)")
	refuses[s[map[base]int], s[map[wider]int]](t, "At[key].A: int32, not there (key)")
	refuses[s[map[struct{ A int }]int], s[map[struct{ A, B int }]int]](t, "At[key].B: not there, int64 (key)")
	refuses[s[map[string]string], s[map[string]bool]](t, "At[value]: string, bool")
	refuses[s[[]*base], s[[]*s[int]]](t, "")
	refuses[[]string, []int](t, "[]: string, int64")
	refuses[string, int](t, ": string, int64")
	refuses[struct{ A, B string }, struct {
		B bool
		A int
	}](t, "A: string, int64; B: string, bool")
	refuses[struct {
		Top string
		*tree
	}, struct {
		Top string
		*node
		tree int
	}](t, "tree: struct, int64")

	type pane[K, A any] struct {
		Key K
		Acc A
	}
	refuses[pane[int32, int32], pane[int64, int64]](t, "Key: int32, int64 (key)", "Key")
	refuses[pane[base, int32], pane[wider, string]](t, "Key.A: int32, not there (key); Acc: int32, string", "Key")
	refuses[pane[int32, int32], pane[*int32, *int64]](t, "Key: int32, *int32 (key)", "Key")
	refuses[pane[int32, int32], pane[int32, *int64]](t, "", "Key")
	refuses[int32, int64](t, ": int32, int64 (key)", ".")
}

// A schema comes from a file.
func TestASchemaThatIsNoneIsAnError(t *testing.T) {
	for text, want := range map[string]string{
		"":                                       `line "" of the schema: it has no kind`,
		"A":                                      "it has no kind",
		"A int":                                  `"int" is no kind`,
		"A int64\nA int64":                       "two kinds",
		"A int64\nA.B int64":                     "two kinds",
		"A.B int64\nA int64":                     "two kinds",
		"A nothing\nA.B int64":                   "two kinds",
		"A[] int64\nA* int64":                    "two kinds",
		"A[2] int64\nA[3] int64":                 "no step",
		"A int64\nB int64\nA.C int64":            "two fields A side by side",
		".A int64":                               `"" is no name`,
		"A..B int64":                             `"" is no name`,
		"1A int64":                               `"1A" is no name`,
		"A=1 int64":                              `"1" is no name`,
		"A[ int64":                               `"[" is no step`,
		"A[-1] int64":                            "no step",
		"A[99999999999] int64":                   "no step",
		"A*x int64":                              "no step",
		"M[value] int64":                         "no step",
		"M[key] int64":                           "lacks its values",
		"M[key] int64\nM[value] int64\n":         "it has no kind",
		"A as level 0":                           "cannot be inside itself",
		"A[2] as level 0":                        "cannot be inside itself",
		"A[] as level 2":                         "cannot be inside itself",
		"A[] as level -1":                        "cannot be inside itself",
		"M[key]*.A as level 0":                   "cannot be inside itself",
		"A" + strings.Repeat("*", 300) + " int8": "more than 256 steps",
		"A " + ownBytes + strings.Repeat("x", 2<<20): "a schema of 2097",
	} {
		if _, err := Compare(text, "A int64"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: got %v, want %q", text, err, want)
		}
	}
	for _, text := range []string{" int64", " nothing", "[] int8", "* as level 0", "A nothing", "A=B=C int8", "A[0][1] int8", "M[key].A int8\nM[value][] as level 0", codecOf[everything](t).Schema()} {
		f, err := parseSchema(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		var lines []string
		if f.list("", &lines); strings.Join(lines, "\n") != text {
			t.Errorf("%q is read as %q", text, lines)
		}
	}
}

// allocated is how much memory f takes.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func TestAnOldSchemaMakesNoGigabyteOfALittle(t *testing.T) {
	type grown struct {
		N    uint8
		Wide [1 << 16]byte
	}
	type held struct{ List []grown }
	type behind struct{ P *grown }
	many := "00400000" + strings.Repeat("01", 1<<14) // 16,384 values of a byte
	for _, c := range []struct {
		name, schema, data string
		read               func(string, []byte) error
	}{
		{"batch", "N uint8", many, decodeOld[grown]},
		{"list", "List[].N uint8", "01000000" + "01400000" + many[8:], decodeOld[held]},
		{"pointers", "P.N uint8", many, decodeOld[behind]},
		{"empty values", "List[] nothing", "01000000" + "00000100", decodeOld[held]},
		{"a dropped list", "Gone[].A int64", "01000000" + "ffffffff", decodeOld[held]},
		{"a dropped map", "Gone[key] int64\nGone[value] nothing", "01000000" + "ffffffff", decodeOld[held]},
		{"dropped arrays", "Gone" + strings.Repeat("[15]", 200) + " int8", "01000000" + strings.Repeat("00", 100), decodeOld[held]},
		{"a long array", "Gone[2000000000][2000000000] int8", "01000000" + strings.Repeat("00", 100), decodeOld[held]},
	} {
		data, err := hex.DecodeString(c.data)
		if err != nil {
			t.Fatal(err)
		}
		if n := allocated(func() { err = c.read(c.schema, data) }); err == nil || n > 64<<20 {
			t.Errorf("%s: %v, %d MiB", c.name, err, n>>20)
		}
	}
}

func decodeOld[T any](schema string, data []byte) error {
	c, err := For[T]()
	if err == nil {
		c, err = c.Reads(schema)
	}
	if err == nil {
		_, err = c.Decode(nil, data)
	}
	return err
}

// Equal arrays side by side, many times over.
func TestSchemasThatAskForMuchWorkAreRefused(t *testing.T) {
	old := "A" + strings.Repeat("[15]", 200) + " int8"
	if _, err := Compare(old, strings.Replace(old, "int8", "int16", 1)); err == nil {
		t.Error("it was compared")
	}
}

func FuzzDecodeWithAnOldSchema(f *testing.F) {
	c, err := For[everything]()
	if err != nil {
		f.Fatal(err)
	}
	data, err := c.Append(nil, []everything{full(), {}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(c.Schema(), data)
	f.Add(strings.Replace(c.Schema(), "I int64", "I int8", 1), data)
	f.Add(strings.Replace(c.Schema(), "private", "other", 1), data)
	f.Add(strings.Replace(c.Schema(), "Pointer*", "Pointer", 2), data)
	f.Add("Gone[key].A[3]* string\nGone[value][] as level 0\nI uint32", data)
	f.Add("N nothing\nBare[] nothing\nEmpty[20][] nothing", data)
	shapes()
	f.Add("First(codec.circle).R float32\nFirst(codec.group).Parts[] as level 1\nGone(a) int8", []byte("\x01\x00\x00\x00\x02\x01\x00\x00\x00\x00\x01\x05"))
	f.Fuzz(func(t *testing.T, schema string, data []byte) {
		readOld[drawing](t, schema, data)
		readOld[everything](t, schema, data)
		readOld[hollow](t, schema, data)
		readOld[pang](t, schema, data)
		readOld[[]bigTree](t, schema, data)
	})
}

// readOld checks that Compare and Reads agree, and that what is read can be written.
func readOld[T any](t *testing.T, schema string, data []byte) {
	c := codecOf[T](t)
	changes, wrong := Compare(schema, c.Schema())
	reader, err := c.Reads(schema)
	if (err == nil) != (wrong == nil && len(changes) == 0) {
		t.Errorf("%q to %T: Compare says %v, %v and Reads %v", schema, *new(T), changes, wrong, err)
	}
	if err != nil {
		return
	}
	vs, err := reader.Decode(nil, data)
	if err != nil {
		return
	}
	if _, err := reader.Append(nil, vs); err != nil && !strings.Contains(err.Error(), "at once") {
		t.Errorf("what was read cannot be written: %v", err)
	}
}
