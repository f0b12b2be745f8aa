package files

import (
	"bytes"
	"slices"
	"testing"

	"blink/operator"
)

var twoParts = ledger{
	{Part{3, 0, operator.Attempt{Epoch: 1, N: 1}}, 4711, 0x0123456789abcdef},
	{Part{4, 12, operator.Attempt{Epoch: 2, N: 3}}, 0, 1},
}

var twoPages = book{[]width{{0, 3}, {2, 13}}, twoParts}

func equalBooks(a, b book) bool {
	return slices.Equal(a.widths, b.widths) && slices.Equal(a.parts, b.parts)
}

func TestLedgerIsStoredLikeThis(t *testing.T) {
	want := "tasks 0 3 35933d8889f739f4\ntasks 2 13 3dc1b1a28ce18c97\n" +
		"0000000003-00000-1.1 4711 0123456789abcdef e331e25a95d763bd\n0000000004-00012-2.3 0 0000000000000001 b1c8c468d58e31a4\n"
	if got := string(twoPages.encode()); got != want {
		t.Errorf("%s, want\n%s", got, want)
	}
}

// A crash leaves any beginning of what was appended: what is whole of it counts. Nothing else
// may be missing or other.
func TestDamagedLedgerIsRefusedAndATornEndIsNot(t *testing.T) {
	whole := twoPages.encode()
	first := bytes.IndexByte(whole, '\n') + 1
	for i := range whole {
		l, err := decodeBook(whole[:i])
		lines := bytes.Count(whole[:i], []byte("\n"))
		if lines == 0 {
			if err == nil {
				t.Errorf("the first %d bytes are read as %v", i, l)
			}
			continue
		}
		if err != nil || !equalBooks(l, book{twoPages.widths[:min(lines, 2)], twoParts[:max(0, lines-2)]}) {
			t.Errorf("the first %d bytes are read as %v, %v", i, l, err)
		}
		if i == len(whole)-1 {
			continue // without its end the last line is torn
		}
		other := slices.Clone(whole)
		other[i] ^= 1
		if l, err := decodeBook(other); err == nil {
			t.Errorf("with byte %d changed it is read as %v", i, l)
		}
	}
	for _, other := range [][]byte{append(slices.Clone(whole), '\n'), append([]byte("\n"), whole...), append(slices.Clone(whole), whole...), whole[first:]} {
		if l, err := decodeBook(other); err == nil {
			t.Errorf("%q is read as %v", other, l)
		}
	}
}

func FuzzLedger(f *testing.F) {
	f.Add(twoPages.encode())
	f.Add(book{widths: []width{{0, 1}}}.encode())
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := decodeBook(data)
		if err != nil {
			return
		}
		if again, err := decodeBook(b.encode()); err != nil || !equalBooks(again, b) {
			t.Errorf("%v is read back as %v, %v", b, again, err)
		}
	})
}

func TestWidthsTellWhoMustHaveALedger(t *testing.T) {
	b := book{}
	begin := func(checkpoint uint64, tasks int) { b.widths = b.begin(checkpoint, tasks) }
	want := func(checkpoint uint64, tasks int) {
		t.Helper()
		if got := b.tasks(checkpoint); got != tasks {
			t.Errorf("%d tasks at checkpoint %d, want %d: %v", got, checkpoint, tasks, b.widths)
		}
	}
	begin(0, 3)
	want(0, 0)
	want(1, 3)
	begin(5, 2) // task 0 has taken the third over
	want(5, 2)
	want(6, 2)
	begin(5, 4) // again, before a checkpoint was complete
	want(5, 2)
	want(6, 4)
	begin(3, 4) // back to an older one
	want(3, 2)
	want(4, 4)
	begin(7, 4)
	begin(7, 4)
	want(7, 4)
	if len(b.widths) != 4 {
		t.Errorf("they grow: %v", b.widths)
	}
}

func TestRepeatedCommitAddsNothingToTheLedger(t *testing.T) {
	if got := twoParts.with(twoParts[1:]); !slices.Equal(got, twoParts) {
		t.Errorf("%v", got)
	}
	if got := twoParts[1:].with(twoParts[:1]); !slices.Equal(got, twoParts) {
		t.Errorf("%v", got)
	}
	if got := twoParts.until(3); !slices.Equal(got, twoParts[:1]) {
		t.Errorf("until 3: %v", got)
	}
}
