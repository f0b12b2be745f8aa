package codec

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math"
	"net/netip"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

type inner struct {
	Deep  []string
	small int8
}

type node struct {
	Value int
	Next  *node
}

type everything struct {
	B       bool
	I       int
	I8      int8
	U16     uint16
	F32     float32
	F64     float64
	S       string
	Bytes   []byte
	Short   [3]int16
	Long    [20]uint32
	Nested  inner
	At      time.Time
	For     time.Duration
	Slices  [][]int64
	Map     map[string]inner
	Pointer *inner
	List    *node
	Addr    netip.Addr
	private string
	Out     func() `blink:"-"`
}

func full() everything {
	return everything{
		B: true, I: -5, I8: -8, U16: 65535, F32: 1.5, F64: math.Inf(-1), S: "häuser", Bytes: []byte{0, 1},
		Short: [3]int16{1, -2, 3}, Long: [20]uint32{19: 7}, Nested: inner{Deep: []string{"a", ""}, small: -1},
		At: time.Unix(1, 2).UTC(), For: time.Minute, Slices: [][]int64{nil, {}, {1, 2}},
		Map: map[string]inner{"x": {small: 1}, "": {Deep: []string{}}}, Pointer: &inner{small: 9},
		List: &node{1, &node{2, nil}}, Addr: netip.MustParseAddr("10.0.0.1"), private: "kept",
	}
}

func codecOf[T any](t testing.TB) *Codec[T] {
	t.Helper()
	c, err := For[T]()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestEveryStorableTypeReadsBack(t *testing.T) {
	c := codecOf[everything](t)
	want := []everything{full(), {}, full()}
	data, err := c.Append(nil, want)
	if err != nil {
		t.Fatal(err)
	}
	// Recycled memory keeps nothing of what was in it.
	old := full()
	old.Out = func() {}
	got, err := c.Decode([]everything{old, old, old, old}, data)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	again, err := c.Append(nil, got)
	if err != nil || string(again) != string(data) {
		t.Errorf("equal values have other bytes (%v)", err)
	}
}

func TestNilAndEmptyStayApart(t *testing.T) {
	type s struct {
		A, B []int
		M, N map[int]int
		P    *int
	}
	c := codecOf[s](t)
	data, err := c.AppendOne(nil, &s{B: []int{}, N: map[int]int{}})
	if err != nil {
		t.Fatal(err)
	}
	var got s
	if rest, err := c.DecodeOne(&got, data); err != nil || len(rest) > 0 {
		t.Fatal(err, rest)
	}
	if got.A != nil || got.B == nil || got.M != nil || got.N == nil || got.P != nil {
		t.Errorf("got %#v", got)
	}
}

type hit struct {
	Path string
	N    int32
	At   time.Time
	Ok   bool
}

// The stored form is for ever.
func TestStoredFormNeverChanges(t *testing.T) {
	c := codecOf[hit](t)
	data, err := c.Append(nil, []hit{{"/a", 1, time.Unix(0, 5), true}, {"", -1, time.Time{}, false}})
	if err != nil {
		t.Fatal(err)
	}
	want := "02000000" + "02000000" + "00000000" + hex.EncodeToString([]byte("/a")) + "01000000" + "ffffffff" +
		"0500000000000000" + "0000000000000080" + "0100"
	if got := hex.EncodeToString(data); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if s := c.Schema(); s != "Path string\nN int32\nAt time.Time\nOk bool" {
		t.Errorf("schema %q", s)
	}
}

func TestSchemaNamesEveryStoredField(t *testing.T) {
	want := strings.Split("B bool|I int64|I8 int8|U16 uint16|F32 float32|F64 float64|S string|Bytes[] uint8|Short[3] int16|Long[20] uint32|"+
		"Nested.Deep[] string|Nested.small int8|At time.Time|For int64|Slices[][] int64|Map[key] string|Map[value].Deep[] string|Map[value].small int8|"+
		"Pointer*.Deep[] string|Pointer*.small int8|List*.Value int64|List*.Next as level 1|Addr bytes of netip.Addr|private string", "|")
	if got := strings.Split(codecOf[everything](t).Schema(), "\n"); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestWhatCannotBeStoredIsRefusedByName(t *testing.T) {
	type odd struct {
		Name  string
		Limit struct{ Deep chan int }
	}
	for _, c := range []struct {
		err  error
		want string
	}{
		{Storable[odd](), "type codec.odd: field Limit.Deep of type chan int cannot be stored: it is a chan"},
		{Storable[func()](), "type func() cannot be stored: it is a func"},
		{Storable[struct{ E error }](), "field E of type error cannot be stored: it is an interface"},
		{Storable[map[float64]int](), "its key is a float"},
		{Keyable[float64](), "key type float64 is a float, and NaN equals nothing"},
		{Keyable[*int](), "key type *int is a pointer, which has no value outside its process"},
		{Keyable[struct{ At time.Time }](), "field At is a time.Time"},
		{Keyable[any](), "is of kind interface"},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.want) {
			t.Errorf("got %v, want %q", c.err, c.want)
		}
	}
	if err := Keyable[struct {
		A string
		B [2]int
	}](); err != nil {
		t.Error(err)
	}
}

func TestValuesThatCannotBeStoredAreErrors(t *testing.T) {
	ring := &node{}
	ring.Next = ring
	if _, err := codecOf[*node](t).Append(nil, []*node{ring}); err == nil || !strings.Contains(err.Error(), "cycle") {
		t.Errorf("a cycle: %v", err)
	}
	if _, err := codecOf[time.Time](t).Append(nil, []time.Time{time.Date(1600, 1, 1, 0, 0, 0, 0, time.UTC)}); err == nil {
		t.Error("the year 1600 was stored")
	}
}

// A map has one form: its keys ascend.
func TestEntriesInAnotherOrderAreRefused(t *testing.T) {
	c := codecOf[map[int8]int8](t)
	for data, ok := range map[string]bool{
		"01000000" + "03000000" + "01050206": true,
		"01000000" + "03000000" + "02060105": false,
		"01000000" + "03000000" + "01050106": false,
	} {
		b, err := hex.DecodeString(data)
		if err != nil {
			t.Fatal(err)
		}
		got, err := c.Decode(nil, b)
		if ok == (err != nil) {
			t.Errorf("%s: %v, %v", data, got, err)
		}
		if again, err := c.Append(nil, got); ok && string(again) != string(b) {
			t.Errorf("%s is %x now (%v)", data, again, err)
		}
	}
}

func TestDecodeAllocatesNoMoreThanTheDataCanHold(t *testing.T) {
	for _, data := range []string{"ffffffff", "ffffff7f00000000", "01000000" + "ffffffff", "01000000" + "ffffff7f" + "00"} {
		b, err := hex.DecodeString(data)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := codecOf[[]int64](t).Decode(nil, b); err == nil {
			t.Errorf("%s was taken", data)
		}
		if _, err := codecOf[struct{}](t).Decode(nil, b); err == nil {
			t.Errorf("%s was taken as empty structs", data)
		}
	}
}

// hollow is a type of which little is stored.
type hollow struct {
	N     uint8
	Gone  [1 << 16]byte `blink:"-"`
	Empty []struct{}
	Bare  []bare
	Known map[uint8]bare
}

type bare struct {
	Gone [1 << 10]byte `blink:"-"`
}

func TestAppendWritesOnlyWhatDecodeTakes(t *testing.T) {
	list := codecOf[[]struct{}](t)
	for _, n := range []int{maxEmpty, maxEmpty + 1} {
		data, err := list.AppendOne(nil, new(make([]struct{}, n)))
		if (err == nil) != (n == maxEmpty) {
			t.Errorf("a list of %d: %v", n, err)
		}
		if err == nil {
			if _, err := list.DecodeOne(new([]struct{}), data); err != nil {
				t.Errorf("a list of %d is written and not read: %v", n, err)
			}
		}
	}
	if _, err := codecOf[struct{}](t).Append(nil, make([]struct{}, maxEmpty+1)); err == nil {
		t.Error("too many empty values were written")
	}
	if _, err := codecOf[[]bare](t).AppendOne(nil, new(make([]bare, maxEmpty))); err == nil || !strings.Contains(err.Error(), "65536 values of codec.bare cannot be stored at once") {
		t.Errorf("64 MiB of which nothing is stored: %v", err)
	}
	c := codecOf[hollow](t)
	data, err := c.Append(nil, []hollow{{N: 1}, {N: 2, Empty: make([]struct{}, 3), Bare: make([]bare, 2), Known: map[uint8]bare{7: {}}}})
	if err != nil {
		t.Fatal(err)
	}
	if is, err := c.Decode(nil, data); err != nil || len(is) != 2 || is[1].N != 2 || len(is[1].Empty) != 3 || len(is[1].Known) != 1 {
		t.Errorf("%v: %d values", err, len(is))
	}
}

// What can be listed can be stored however often.
func TestWhatCannotBeListedIsRefused(t *testing.T) {
	type left struct {
		N    uint8
		Gone [64]byte `blink:"-"`
	}
	for name, err := range map[string]error{
		"nothing":  Listable[struct{}](),
		"a chan":   Listable[chan int](),
		"a little": Listable[left](),
		"left alone": Listable[[3]struct {
			F func() `blink:"-"`
		}](),
	} {
		if err == nil {
			t.Errorf("%s can be listed", name)
		}
	}
	if _, err := codecOf[left](t).Append(nil, make([]left, 1<<20)); !errors.Is(err, errLoose) {
		t.Errorf("a million with little in them: %v", err)
	}
	if err := Listable[everything](); err != nil {
		t.Error(err)
	}
	type most struct {
		N    uint8
		Gone [63]byte `blink:"-"`
	}
	if err := Listable[most](); err != nil {
		t.Error(err)
	}
	if _, err := codecOf[most](t).Append(nil, make([]most, 1<<20)); err != nil {
		t.Error(err)
	}
	if err := Listable[sketch](); err != nil {
		t.Error(err)
	}
}

// sketch is large, and says itself what is stored of it.
type sketch struct{ Cells [2048]byte }

func (s sketch) MarshalBinary() ([]byte, error)     { return s.Cells[:], nil }
func (s *sketch) UnmarshalBinary(data []byte) error { copy(s.Cells[:], data); return nil }

// folded is stored in lower case: two keys of a map may become one.
type folded struct{ Name string }

func (f folded) MarshalBinary() ([]byte, error)     { return []byte(strings.ToLower(f.Name)), nil }
func (f *folded) UnmarshalBinary(data []byte) error { f.Name = string(data); return nil }

func TestKeysThatWouldBecomeOneAreRefused(t *testing.T) {
	c := codecOf[map[folded]int](t)
	if _, err := c.Append(nil, []map[folded]int{{{"A"}: 1, {"b"}: 2}}); err != nil {
		t.Error(err)
	}
	if _, err := c.Append(nil, []map[folded]int{{{"A"}: 1, {"a"}: 2}}); err == nil || !strings.Contains(err.Error(), "MarshalBinary") {
		t.Errorf("two keys with the same bytes: %v", err)
	}
}

// A byte of each value is stored, and 64 KiB are not.
func TestDecodeDoesNotMakeAGigabyteOfALittle(t *testing.T) {
	type wide struct {
		N    uint8
		Gone [1 << 16]byte `blink:"-"`
	}
	for name, decode := range map[string]func([]byte) error{
		"batch": func(b []byte) error { _, err := codecOf[wide](t).Decode(nil, b); return err },
		"list":  func(b []byte) error { _, err := codecOf[[]wide](t).DecodeOne(new([]wide), b); return err },
	} {
		data := append([]byte{0, 64, 0, 0}, make([]byte, 16<<10)...)
		if err := decode(data); err == nil || !errors.Is(err, errLoose) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// lavish leads from a byte or two to a KiB of which nothing is stored, in every way there is.
type lavish struct {
	Pointers []*bare
	Lists    [][]bare
	Dict     map[uint32]*bare
	Member   []vacant
	Next     *lavish
}

type vacant interface{ isVacant() }

func (bare) isVacant() {}

func lavishCodec(t testing.TB) *Codec[lavish] {
	OneOf[vacant](bare{}, &bare{})
	return codecOf[lavish](t)
}

// mostOfAll is what decoding may take of the machine's memory: what is counted, the values
// themselves, and what the runtime adds to small things.
func mostOfAll(stored int) uint64 { return 4 * uint64(mostOf(stored)) }

// takes is how much memory f asks for.
func takes(f func()) uint64 {
	var was, is runtime.MemStats
	runtime.ReadMemStats(&was)
	f()
	runtime.ReadMemStats(&is)
	return is.TotalAlloc - was.TotalAlloc
}

// A hundred thousand bytes each lead to a KiB, or many more: far from all of it is made.
func TestWhatLittleLeadsToIsBounded(t *testing.T) {
	c, le := lavishCodec(t), binary.LittleEndian
	const many = 200_000
	full := append([]byte{1, 0, 0, 0}, bytes.Repeat([]byte{1}, many)...)
	lists := le.AppendUint32(le.AppendUint32([]byte{1, 0, 0, 0}, 0), many+1)
	for range many {
		lists = le.AppendUint32(lists, 1000+1)
	}
	dicts := le.AppendUint32(le.AppendUint32(le.AppendUint32([]byte{1, 0, 0, 0}, 0), 0), many+1)
	for i := range many {
		dicts = append(binary.BigEndian.AppendUint32(dicts, uint32(i)), 1) // in the order of bytes
	}
	members := le.AppendUint32([]byte{1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, many+1)
	for i := range many {
		members = append(members, [][]byte{{1, 1}, {2}}[i%2]...) // a pointer to one, or one
	}
	for name, data := range map[string][]byte{
		"pointers": slices.Insert(full, 4, le.AppendUint32(nil, many+1)...), "lists": lists, "dicts": dicts, "members": members,
	} {
		var err error
		took := takes(func() { _, err = c.Decode(nil, data) })
		if !errors.Is(err, errLoose) {
			t.Errorf("%s: %v, want %v", name, err, errLoose)
		}
		if took > mostOfAll(len(data)) {
			t.Errorf("%s: %d bytes lead to %d", name, len(data), took)
		}
	}
}

func TestAppendCountsWhatValuesLeadTo(t *testing.T) {
	c := lavishCodec(t)
	all := make([]*bare, 2*maxLoose>>10)
	for i := range all {
		all[i] = &bare{}
	}
	data, err := c.Append(nil, []lavish{{Pointers: all[:len(all)/4]}, {Pointers: all[:len(all)/8]}})
	if err != nil {
		t.Fatal(err)
	}
	if is, err := c.Decode(nil, data); err != nil || len(is) != 2 || len(is[0].Pointers) != len(all)/4 {
		t.Errorf("%d values, %v", len(is), err)
	}
	want := "2 values of codec.lavish cannot be stored at once, with what they lead to"
	if _, err := c.Append(nil, []lavish{{Pointers: all}, {}}); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %q", err, want)
	}
}

func FuzzDecodeOfTypesThatLeadToMuch(f *testing.F) {
	lavishCodec(f)
	b := &bare{}
	fuzzDecode(f, lavish{
		Pointers: []*bare{b, nil, b}, Lists: [][]bare{make([]bare, 3), nil}, Dict: map[uint32]*bare{7: b}, Member: []vacant{b, *b, nil}, Next: &lavish{},
	}, lavish{})
}

func FuzzDecodeTakesOnlyWhatAppendWrote(f *testing.F) {
	fuzzDecode(f, full(), everything{})
}

func FuzzDecodeOfTypesOfWhichLittleIsStored(f *testing.F) {
	fuzzDecode(f, hollow{N: 2, Empty: make([]struct{}, 3), Bare: make([]bare, 2), Known: map[uint8]bare{7: {}}}, hollow{})
}

func fuzzDecode[T any](f *testing.F, vs ...T) {
	c, err := For[T]()
	if err != nil {
		f.Fatal(err)
	}
	data, err := c.Append(nil, vs)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add(data[:len(data)/2])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		var vs []T
		var err error
		if took := takes(func() { vs, err = c.Decode(nil, data) }); took > mostOfAll(len(data)) {
			t.Errorf("%d bytes lead to %d", len(data), took)
		}
		if _, shared := c.Shared().Decode(nil, data); (shared == nil) != (err == nil) {
			t.Errorf("one reads and the other does not: %v, %v", err, shared)
		}
		if err != nil {
			return
		}
		if _, err := c.Append(nil, vs); err != nil {
			t.Errorf("what was read cannot be written: %v", err)
		}
	})
}

type bid struct {
	Auction, Bidder, Price int64
	At                     int64
	Channel, URL, Extra    string
}

func bids() []bid {
	bs := make([]bid, 512)
	for i := range bs {
		bs[i] = bid{int64(i), int64(i * 7), 100, int64(i), "channel-17", "https://example.com/item.htm?query=1&channel_id=17", strings.Repeat("x", 40)}
	}
	return bs
}

func TestFixedWidthBatchesAllocateNothing(t *testing.T) {
	type plain struct{ A, B int64 }
	c := codecOf[plain](t)
	in := make([]plain, 512)
	buf, err := c.Append(nil, in)
	if err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(50, func() {
		if buf, err = c.Append(buf[:0], in); err == nil {
			in, err = c.Decode(in, buf)
		}
	}); n != 0 || err != nil {
		t.Errorf("%v allocations, %v", n, err)
	}
}

func TestOnlySharedStringsAreThoseOfTheData(t *testing.T) {
	c, in := codecOf[bid](t), bids()
	data, err := c.Append(nil, in)
	if err != nil {
		t.Fatal(err)
	}
	copied, err1 := c.Decode(nil, data)
	sharing := c.Shared()
	shared, err2 := sharing.Decode(make([]bid, len(in)), data)
	if err1 != nil || err2 != nil || !reflect.DeepEqual(copied, in) || !reflect.DeepEqual(shared, in) {
		t.Fatal(err1, err2)
	}
	if n := testing.AllocsPerRun(50, func() { shared, err = sharing.Decode(shared, data) }); n != 0 || err != nil {
		t.Errorf("%v allocations, %v", n, err)
	}
	clear(data)
	if !reflect.DeepEqual(copied, in) {
		t.Error("a copied string changed with the data")
	}
	if shared[3].URL == in[3].URL {
		t.Error("a shared string did not")
	}
}

func TestSharedStringsAreReadLikeOthers(t *testing.T) {
	c, want := codecOf[everything](t), []everything{full(), {}, full()}
	data, err := c.Append(nil, want)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := c.Shared().Decode(nil, data); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v: got  %+v\nwant %+v", err, got, want)
	}
	old, err := codecOf[wider](t).Reads(codecOf[base](t).Schema())
	if err != nil || old.Shared() != old {
		t.Errorf("what reads an older form is another now (%v)", err)
	}
}

func BenchmarkBids(b *testing.B) {
	c := codecOf[bid](b)
	in := bids()
	buf, err := c.Append(nil, in)
	b.Run("append", func(b *testing.B) {
		for range b.N {
			buf, err = c.Append(buf[:0], in)
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(in)), "ns/record")
	})
	for name, c := range map[string]*Codec[bid]{"decode": c, "decode shared": c.Shared()} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for range b.N {
				in, err = c.Decode(in, buf)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(in)), "ns/record")
		})
	}
	if err != nil {
		b.Fatal(err)
	}
}

// An embedded time brings its MarshalBinary, which knows nothing of the other fields.
func TestAnEmbeddedFieldDoesNotEncodeTheWholeStruct(t *testing.T) {
	type event struct {
		time.Time
		Name string
	}
	type day struct{ time.Time }
	c, err := For[event]()
	if err != nil {
		t.Fatal(err)
	}
	if c.Schema() != "Time time.Time\nName string" {
		t.Errorf("schema %q", c.Schema())
	}
	was := event{time.Unix(7, 0).UTC(), "start"}
	var is event
	data, err := c.AppendOne(nil, &was)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.DecodeOne(&is, data); err != nil || is != was {
		t.Errorf("%v was stored, %v is read: %v", was, is, err)
	}
	alone, err := For[day]()
	if err != nil || alone.Schema() != " bytes of codec.day" {
		t.Errorf("schema %q, %v: a struct around one field keeps its methods", alone.Schema(), err)
	}
}

// These embed a type with methods and have their own, which count.
type (
	byValue struct {
		time.Time
		Name string
	}
	byPointer struct {
		time.Time
		Name string
	}
)

func (b byValue) MarshalBinary() ([]byte, error)    { return []byte(b.Name), nil }
func (b *byValue) UnmarshalBinary(d []byte) error   { b.Name = string(d); return nil }
func (b *byPointer) MarshalBinary() ([]byte, error) { return []byte(b.Name), nil }
func (b *byPointer) UnmarshalBinary(d []byte) error { b.Name = string(d); return nil }

func TestATypeThatDeclaresItsMethodsEncodesItself(t *testing.T) {
	value, err := For[byValue]()
	if err != nil || value.Schema() != " bytes of codec.byValue" {
		t.Errorf("schema %q, %v", value.Schema(), err)
	}
	pointer, err := For[byPointer]()
	if err != nil || pointer.Schema() != " bytes of codec.byPointer" {
		t.Errorf("schema %q, %v", pointer.Schema(), err)
	}
}
