package exchange

import (
	"encoding/hex"
	"reflect"
	"testing"

	"blink/operator"
)

// records is a buffer of bytes, each a record.
type records []byte

func (r records) Len() int                            { return len(r) }
func (r records) AppendTo(dst []byte) ([]byte, error) { return append(dst, r...), nil }
func (r records) Cut(int) operator.Records            { panic("it is not cut") }

var addr = Address{Link: 1, From: 2, To: 3, Epoch: 4, Attempt: 5}

func TestFramesKeepTheirForm(t *testing.T) {
	batch, err := AppendBatch(nil, &Batch{Address: addr, Seq: 6, Records: records("ab"), Marks: []Mark{{1, Watermark, 7}, {2, Barrier, 8}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []struct {
		name string
		got  []byte
		want string
	}{
		{"batch", batch, "01010000000200000003000000040000000000000005000000" + "0600000000000000" + "0200" + "01000000010700000000000000" + "02000000020800000000000000" + "6162"},
		{"open", AppendOpen(nil, Open{addr, 9, 10}), "02010000000200000003000000040000000000000005000000" + "09000000" + "0a00000000000000"},
		{"credit", AppendCredit(nil, Credit{Address: addr, N: 2}), "03010000000200000003000000040000000000000005000000" + "02000000"},
	} {
		if got := hex.EncodeToString(f.got); got != f.want {
			t.Errorf("%s:\n got %s\nwant %s", f.name, got, f.want)
		}
	}
}

func TestFramesReadBack(t *testing.T) {
	b := &Batch{Address: addr, Seq: 6, Records: records("ab"), Marks: []Mark{{0, Watermark, 7}, {2, End, 0}}}
	frame, err := AppendBatch(nil, b)
	if err != nil {
		t.Fatal(err)
	}
	want := &Batch{Address: addr, Seq: 6, Marks: b.Marks, Data: []byte("ab")}
	for _, f := range []struct {
		data []byte
		want any
	}{
		{frame, want},
		{AppendOpen(nil, Open{addr, 9, 10}), Open{addr, 9, 10}},
		{AppendCredit(nil, Credit{Address: addr, N: 3}), Credit{Address: addr, N: 3}},
	} {
		if got, err := Decode(f.data); err != nil || !reflect.DeepEqual(got, f.want) {
			t.Errorf("got %+v, %v, want %+v", got, err, f.want)
		}
	}
}

func TestMarksThatCannotBeAreRefused(t *testing.T) {
	for name, marks := range map[string][]Mark{
		"backwards":             {{2, Watermark, 1}, {1, Watermark, 1}},
		"behind the end":        {{4, Watermark, 1}},
		"barrier before record": {{1, Barrier, 1}},
		"mark behind barrier":   {{3, Barrier, 1}, {3, Watermark, 1}},
		"unknown kind":          {{3, 9, 1}},
		"idle of something":     {{3, Idle, 1}},
		"end of something":      {{3, End, 1}},
		"negative":              {{-1, Watermark, 1}},
	} {
		if CheckMarks(marks, 3) == nil {
			t.Errorf("%s: taken", name)
		}
	}
	if err := CheckMarks([]Mark{{0, Watermark, 1}, {0, Idle, 0}, {3, Watermark, 2}, {3, Barrier, 1}}, 3); err != nil {
		t.Error(err)
	}
}

func FuzzDecodeRefusesWithoutPanic(f *testing.F) {
	frame, err := AppendBatch(nil, &Batch{Address: addr, Seq: 1, Records: records("x"), Marks: []Mark{{1, End, 0}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(frame)
	f.Add(AppendOpen(nil, Open{addr, 1, 2}))
	f.Add(AppendCredit(nil, Credit{Address: addr, N: 1}))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := Decode(data)
		if b, ok := m.(*Batch); ok && err == nil {
			b.Records = records(b.Data)
			if again, err := AppendBatch(nil, b); err != nil || string(again) != string(data) {
				t.Errorf("%x reads back as %x (%v)", data, again, err)
			}
		}
	})
}
