package operator

import (
	"encoding/hex"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"blink/graph"
)

func portOf[T any](t testing.TB) *port[T] {
	t.Helper()
	p, err := PortOf[T]()
	if err != nil {
		t.Fatal(err)
	}
	return p.(*port[T])
}

func (p *port[T]) encoded(t testing.TB, b buffer[T]) []byte {
	t.Helper()
	b.codec = p.codec
	data, err := b.AppendTo(nil)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// Processes of one job run one binary, so this form may change; but on purpose.
func TestBatchesKeepTheirForm(t *testing.T) {
	p := portOf[int16](t)
	for _, c := range []struct {
		b    buffer[int16]
		want string
	}{
		{buffer[int16]{}, "00000000" + "00"},
		{buffer[int16]{records: []int16{1, 2}, times: []int64{NoTime, NoTime}}, "02000000" + "0100" + "0200" + "01" + "0000000000000080"},
		{buffer[int16]{records: []int16{1, 2}, times: []int64{7, 5}, hashes: []uint64{8, 9}}, "02000000" + "0100" + "0200" + "02" + "0500000000000000" + "02000000" + "00000000" + "0800000000000000" + "0900000000000000"},
		{buffer[int16]{records: []int16{1, 2}, times: []int64{NoTime, 5}}, "02000000" + "0100" + "0200" + "03" + "0000000000000080" + "0500000000000000"},
	} {
		if got := hex.EncodeToString(p.encoded(t, c.b)); got != c.want {
			t.Errorf("%v:\ngot  %s\nwant %s", c.b, got, c.want)
		}
	}
}

func TestTimesOfAllDistancesReadBack(t *testing.T) {
	p := portOf[int16](t)
	far := int64(math.MaxUint32)
	for _, times := range [][]int64{{0}, {NoTime}, {EndTime}, {3, 3, 3}, {-5, 5, 0}, {0, far}, {-1, far}, {-1, far - 1}, {NoTime, EndTime}, {EndTime, EndTime - far}, {NoTime, 1 << 60, 7}} {
		b := buffer[int16]{records: make([]int16, len(times)), times: times}
		got, err := p.Decode(p.encoded(t, b), nil)
		if err != nil || !slices.Equal(got.(*buffer[int16]).times, times) {
			t.Errorf("%v: %+v, %v", times, got, err)
		}
	}
}

// A free row has hash 0, and a task has no place for key groups of others.
func TestHashesThatNoKeyOfTheTaskHasAreRefused(t *testing.T) {
	p, high := portOf[int](t), uint64(1)<<63
	for _, c := range []struct {
		hashes []uint64
		want   string
	}{
		{[]uint64{1, high - 1, high}, ""},
		{[]uint64{}, ""},
		{[]uint64{1, 0, high}, "a hash of 0"},
		{[]uint64{1, high + 1<<62, 2}, "a key of group 6, but the task has 0 to 4"},
	} {
		b := buffer[int]{records: make([]int, len(c.hashes)), times: make([]int64, len(c.hashes)), hashes: c.hashes}
		got, err := p.Decode(p.encoded(t, b), nil)
		if err == nil {
			err = p.Belong(got, 8, graph.Range{From: 0, To: 5})
		}
		if err == nil != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%x: %v, want %q", c.hashes, err, c.want)
		}
	}
	if err := p.Belong(&buffer[int]{hashes: []uint64{1}}, 8, graph.Range{From: 1, To: 8}); err == nil {
		t.Error("a key of an earlier group is taken")
	}
}

func TestStringsOnlyArePartsOfTheData(t *testing.T) {
	texts := portOf[struct{ A []string }](t)
	data := texts.encoded(t, buffer[struct{ A []string }]{records: []struct{ A []string }{{[]string{"a"}}}, times: []int64{1}})
	r, err := texts.Decode(data, nil)
	if err != nil {
		t.Fatal(err)
	}
	have := &r.(*buffer[struct{ A []string }]).records[0].A[0]
	if data[slices.Index(data, 'a')] = 'b'; *have != "b" {
		t.Errorf("the string %q is a copy", *have)
	}
	bytes := portOf[[]byte](t)
	data = bytes.encoded(t, buffer[[]byte]{records: [][]byte{{1, 2}}, times: []int64{1}})
	r, err = bytes.Decode(data, nil)
	if clear(data); err != nil || !reflect.DeepEqual(r.(*buffer[[]byte]).records[0], []byte{1, 2}) {
		t.Errorf("%+v, %v", r, err)
	}
}

func FuzzBatchesAreReadWithoutPanicOrMuchMemory(f *testing.F) {
	type rec struct {
		Name string
		N    int64
	}
	p := portOf[rec](f)
	for _, times := range [][]int64{{1, 2}, {1, 1}, {NoTime, 2}} {
		f.Add(p.encoded(f, buffer[rec]{records: []rec{{"a", 1}, {"", 2}}, times: times, hashes: []uint64{3, 4}}))
	}
	f.Add(p.encoded(f, buffer[rec]{}))
	empty := portOf[struct{}](f)
	f.Add(empty.encoded(f, buffer[struct{}]{records: make([]struct{}, 9), times: make([]int64, 9)}))
	f.Fuzz(func(t *testing.T, data []byte) {
		if r, err := p.Decode(data, nil); err == nil {
			b := r.(*buffer[rec])
			if n := len(b.records); len(b.times) != n || len(b.hashes) != n && len(b.hashes) != 0 || n > len(data)/12 {
				t.Errorf("%d records, %d times, %d hashes of %d bytes", n, len(b.times), len(b.hashes), len(data))
			}
		}
		if r, err := empty.Decode(data, nil); err == nil && r.Len() > 1<<16 {
			t.Errorf("%d empty records of %d bytes", r.Len(), len(data))
		}
	})
}

// A record of 8 bytes that leads to 1,000: batches follow what they take on the wire.
func TestBatchesOfLargeStringsGrowSmaller(t *testing.T) {
	l := newLink[struct{ P *string }](t, OutputOptions{Ship: graph.Forward, Channels: 1, BatchRecords: 512})
	puts := func(n int) int {
		from := len(l.sent[0])
		l.put(make([]struct{ P *string }, n)...)
		return len(l.sent[0]) - from
	}
	if n := puts(512); n != 512 {
		t.Fatalf("%d records are a batch at first", n)
	}
	l.out.Sent(512, 512*1000)
	if n := puts(4 * 131); n != 4*131 {
		t.Errorf("%d records of 1,000 bytes were sent of 524: batches of 131 take 128 KiB", n)
	}
	l.out.Sent(131, 131)
	if puts(511) != 0 || puts(1) != 512 {
		t.Error("batches of small records stay small")
	}
	l.out.Sent(1, 1<<30)
	if n := puts(1); n != 1 {
		t.Errorf("%d records of a GiB are a batch", n)
	}
}
