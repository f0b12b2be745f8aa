package files

import (
	"net/netip"
	"reflect"
	"testing"
	"time"
)

type inner struct {
	Low, High int
	hidden    string
}

type Base struct{ ID uint8 }

type sample struct {
	Base
	Name  string `csv:"name"`
	At    time.Time
	Took  time.Duration
	Share float64
	Best  *int64        `csv:"best"`
	Some  int           `csv:"some,omitzero"`
	Gone  chan int      `csv:"-"`
	In    inner         `csv:"in"`
	From  netip.Addr    `csv:"from"`
	Maybe *netip.Prefix `csv:",omitzero"`
	OK    bool
}

func csvOf[T any](t *testing.T, rec T) (header, line string) {
	t.Helper()
	c, err := columnsOf(reflect.TypeFor[T]())
	if err != nil {
		t.Fatal(err)
	}
	b, err := c.append(nil, &rec)
	if err != nil {
		t.Fatal(err)
	}
	return string(c.header()), string(b)
}

func TestFieldsBecomeColumns(t *testing.T) {
	best := int64(-7)
	at := time.Date(2013, 1, 1, 11, 0, 0, 0, time.FixedZone("", 3600))
	header, line := csvOf(t, sample{Base: Base{3}, Name: `a,"b"`, At: at, Took: time.Minute, Share: 0.25, Best: &best, Some: 1,
		In: inner{1, 2, "x"}, From: netip.MustParseAddr("10.0.0.1"), OK: true})
	if want := "ID,name,At,Took,Share,best,some,in.Low,in.High,from,Maybe,OK\n"; header != want {
		t.Errorf("header %s, want %s", header, want)
	}
	if want := `3,"a,""b""",2013-01-01T10:00:00Z,1m0s,0.25,-7,1,1,2,10.0.0.1,,true` + "\n"; line != want {
		t.Errorf("line %s, want %s", line, want)
	}
	_, line = csvOf(t, sample{})
	if want := `0,,0001-01-01T00:00:00Z,0s,0,,,0,0,,,false` + "\n"; line != want {
		t.Errorf("zero line %s, want %s", line, want)
	}
}

func TestRecordThatIsNoStructIsOneColumn(t *testing.T) {
	header, line := csvOf(t, "")
	if header != "value\n" || line != "\"\"\n" {
		t.Errorf("header %q, line %q", header, line)
	}
	if _, line := csvOf(t, int32(-4)); line != "-4\n" {
		t.Errorf("line %q", line)
	}
}

type stamped struct {
	time.Time
	Name string
}

// day is written as its own method says.
type day struct{ time.Time }

func (d day) MarshalText() ([]byte, error) { return []byte(d.Format(time.DateOnly)), nil }

func (d day) AppendText(b []byte) ([]byte, error) { return d.AppendFormat(b, time.DateOnly), nil }

func TestAnEmbeddedFieldIsNotTheWholeCell(t *testing.T) {
	header, line := csvOf(t, struct {
		stamped
		On day
	}{stamped{time.Unix(7, 0), "start"}, day{time.Unix(7, 0).UTC()}})
	if header != "Time,Name,On\n" || line != "1970-01-01T00:00:07Z,start,1970-01-01\n" {
		t.Errorf("header %q, line %q", header, line)
	}
}

func TestTypeThatIsNoRowIsRefusedWithItsField(t *testing.T) {
	refused := func(t *testing.T, rec any, want ...string) {
		t.Helper()
		_, err := columnsOf(reflect.TypeOf(rec))
		wantError(t, err, want...)
	}
	refused(t, struct{ Tags []string }{}, "field Tags of type []string")
	refused(t, struct{ In struct{ M map[int]int } }{}, "field In.M of type map[int]int")
	refused(t, struct{ a int }{}, "no exported field")
	refused(t, []int{}, "cannot hold []int")
	refused(t, struct {
		A int `csv:"x"`
		B int `csv:"x"`
	}{}, `two columns "x"`)
	refused(t, struct {
		A int `csv:"x,omitempty"`
	}{}, `option "omitempty" is unknown`)
}

func TestWritingARecordAllocatesNothing(t *testing.T) {
	type row struct {
		Start  time.Time
		Origin string
		N      int64
		Max    *int64
	}
	c, err := columnsOf(reflect.TypeFor[row]())
	if err != nil {
		t.Fatal(err)
	}
	n := int64(4)
	rec := &row{time.Unix(0, 0), "EWR", 3, &n}
	buf := make([]byte, 0, 1024)
	if a := testing.AllocsPerRun(100, func() { buf, _ = c.append(buf[:0], rec) }); a != 0 {
		t.Errorf("%v allocations a record", a)
	}
}
