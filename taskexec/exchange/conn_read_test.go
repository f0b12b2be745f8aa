package exchange

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"testing"
	"testing/iotest"
	"unsafe"
)

// framesOfAllSizes are around every bound: empty, small, with and without room in a slab, and
// larger than what is taken on a promise.
func framesOfAllSizes() (all []parcel) {
	for i, size := range []int{0, 1, 40, slack, 2 * slack, 60_000, 60_000, 60_000, 60_000, 60_000, mostSlab, 3, 2 * mostSlab, 100, 3 * maxPromised, 29, 29} {
		frame := make([]byte, size)
		for j := range frame {
			frame[j] = byte(i + j)
		}
		all = append(all, parcel{fmt.Sprint("actor ", i%3), frame})
	}
	return all
}

// Whatever the pieces are in which they come, and whatever comes behind them.
func TestFramesStayAsTheyWereReceived(t *testing.T) {
	sent := framesOfAllSizes()
	e := envelope{parcels: sent}
	e.seal()
	data := bytes.Join(e.left, nil)
	for name, from := range map[string]io.Reader{
		"at once": bytes.NewReader(data), "byte by byte": iotest.OneByteReader(bytes.NewReader(data)),
		"by halves": iotest.HalfReader(bytes.NewReader(data)), "with the end": iotest.DataErrReader(bytes.NewReader(data)),
	} {
		r := parcels{from: from, maxFrame: MaxFrame, known: ids{}}
		var got []parcel
		for range sent {
			id, frame, err := r.next()
			if err != nil {
				t.Fatalf("%s: parcel %d: %v", name, len(got), err)
			}
			got = append(got, parcel{id, frame})
		}
		for i := range sent {
			if got[i].id != sent[i].id || !bytes.Equal(got[i].frame, sent[i].frame) {
				t.Errorf("%s: frame %d of %d bytes differs", name, i, len(sent[i].frame))
			}
		}
		if _, _, err := r.next(); err != io.EOF {
			t.Errorf("%s: behind the last: %v", name, err)
		}
	}
}

// A frame that waits keeps its slab, and so no other that is much larger than itself.
func TestAFrameKeepsLittleMoreThanItself(t *testing.T) {
	for _, sizes := range [][]int{{60_000, 60_000, 60_000, 1000}, {mostSlab, 29, 29}, {200_000, 20_000}, {maxPromised, slack}, {600}, {29}, {40_000}} {
		var all []parcel
		for range 50 {
			for _, size := range sizes {
				all = append(all, parcel{"x", make([]byte, size)})
			}
		}
		e := envelope{parcels: all}
		e.seal()
		r := parcels{from: bytes.NewReader(bytes.Join(e.left, nil)), maxFrame: MaxFrame, known: ids{}}
		copied := 0
		for range all {
			_, frame, err := r.next()
			if err != nil {
				t.Fatal(err)
			}
			switch in := within(r.slab, frame); {
			case in && cap(r.slab) > smallPart*len(frame):
				t.Fatalf("of frames of %v bytes, one of %d keeps %d", sizes, len(frame), cap(r.slab))
			case !in:
				copied++
			}
		}
		if len(sizes) == 1 && sizes[0] > slack && copied > 0 {
			t.Errorf("of %d frames of %d bytes %d were copied", len(all), sizes[0], copied)
		}
	}
}

// within says whether part lies in the memory of all.
func within(all, part []byte) bool {
	at, begin := uintptr(unsafe.Pointer(unsafe.SliceData(part))), uintptr(unsafe.Pointer(unsafe.SliceData(all)))
	return begin <= at && at < begin+uintptr(cap(all))
}

func TestSmallFramesTakeNoSlabs(t *testing.T) {
	e := envelope{parcels: slices.Repeat([]parcel{{"x", make([]byte, 100)}}, 1000)}
	e.seal()
	r := parcels{from: bytes.NewReader(bytes.Join(e.left, nil)), maxFrame: MaxFrame, known: ids{}}
	var slab *byte
	for i := range e.parcels {
		if _, _, err := r.next(); err != nil {
			t.Fatal(err)
		}
		if now := unsafe.SliceData(r.slab); slab != nil && now != slab {
			t.Fatalf("frame %d has a new slab", i)
		}
		slab = unsafe.SliceData(r.slab)
	}
}

func TestAPromisedFrameTakesNoMemoryBeforeItComes(t *testing.T) {
	for _, came := range []int{0, 1000, maxPromised, 3 * maxPromised} {
		data := append(binary.LittleEndian.AppendUint32(nil, MaxFrame), 1, 'x')
		r := parcels{from: bytes.NewReader(append(data, make([]byte, came)...)), maxFrame: MaxFrame, known: ids{}}
		if _, _, err := r.next(); err == nil {
			t.Fatal("it is there")
		}
		if most := 2*came + maxPromised + maxPromised/2; cap(r.slab) > most {
			t.Errorf("%d bytes for a frame of which %d have come, want %d at most", cap(r.slab), came, most)
		}
	}
}

func TestSignsOfLifeTakeNoMemory(t *testing.T) {
	r := parcels{from: bytes.NewReader(make([]byte, 4*slack)), maxFrame: MaxFrame, known: ids{}}
	for range slack {
		if id, _, err := r.next(); id != "" || err != nil {
			t.Fatal(id, err)
		}
	}
	if cap(r.slab) > 2*slack {
		t.Errorf("they have taken %d bytes", cap(r.slab))
	}
}

func FuzzParcels(f *testing.F) {
	e := envelope{parcels: []parcel{{"te/t1.2@3", []byte("frame")}, {"x", nil}}}
	e.seal()
	f.Add(bytes.Join(e.left, nil))
	f.Add([]byte{0, 0, 0, 0})
	f.Add([]byte{255, 255, 255, 255, 1, 'x'})
	f.Fuzz(func(t *testing.T, data []byte) {
		r := parcels{from: bytes.NewReader(data), maxFrame: 1 << 16, known: ids{}}
		for read := 0; ; {
			id, frame, err := r.next()
			if err != nil {
				return
			}
			if read += 4 + len(id) + len(frame); read > len(data) {
				t.Fatal("more was read than there is")
			}
		}
	})
}
