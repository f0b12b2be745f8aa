package snapshot

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"flag"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"blink/graph"

	"github.com/zeebo/xxh3"
)

var rewrite = flag.Bool("rewrite", false, "write testdata anew")

// smallParts is a task's snapshot with everything in it.
func smallParts() []Part {
	return []Part{
		{Operator: "source", Items: []Item{{"split 1", []byte{7, 0}}, {CounterPrefix + "records/0.1", []byte("12345678")}}, States: []StateSchema{{"splits", "splits", "bytes"}}},
		{Operator: "sum", Groups: []Group{{3, []byte("three")}, {5, []byte{}}}, States: []StateSchema{{"key", "key", " string"}, {"sum", "value", "N int64\nAt time.Time"}}},
		{Operator: ""},
	}
}

func smallManifest(t testing.TB) *Manifest {
	t.Helper()
	data, err := EncodeParts(smallParts())
	if err != nil {
		t.Fatal(err)
	}
	task := graph.TaskID{Vertex: 2, Subtask: 1}
	return &Manifest{
		Job: "clicks", Fingerprint: "0123456789abcdef", Checkpoint: 12, Epoch: 1 << 40, MaxParallelism: 128,
		Tasks: []TaskEntry{
			{
				Task: task, Attempt: 4, Handle: HandleOf(TaskKey(12, task, 4, 9), data), Groups: graph.Range{From: 64, To: 128},
				Below: []Handle{{TaskKey(9, task, 4, 9), 1 << 33, 7}, {TaskKey(11, task, 4, 9), 5, 8}},
				Parts: []PartEntry{
					{Operator: "source", Layers: 1, Items: []string{"split 1", CounterPrefix + "records/0.1"}, States: smallParts()[0].States},
					{Operator: "sum", Layers: 3, States: smallParts()[1].States},
				},
			},
			{},
		},
		Older: []string{manifestKey(11, 9), manifestKey(9, 8)},
	}
}

// golden compares data with a file that is read as hexadecimal.
func golden(t *testing.T, name string, data []byte) {
	t.Helper()
	name, got := filepath.Join("testdata", name), hex.Dump(data)
	if *rewrite {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil || got != string(want) {
		t.Errorf("%s: the stored form has changed (%v): a job could not read its older checkpoints; it is now\n%s", name, err, got)
	}
}

// undump reads what golden wrote.
func undump(t *testing.T, name string) (data []byte) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "|")
		for _, digits := range strings.Fields(line)[1:] {
			b, err := hex.DecodeString(digits)
			if err != nil {
				t.Fatal(err)
			}
			data = append(data, b...)
		}
	}
	return data
}

// What an earlier version of the format stored is read as long as that costs little.
func TestSnapshotsOfTheFirstFormatAreRead(t *testing.T) {
	m, err := DecodeManifest(undump(t, "manifest-1.hex"))
	if err != nil {
		t.Fatal(err)
	}
	e := m.Tasks[0]
	if m.Checkpoint != 12 || len(m.Tasks) != 2 || e.Groups != (graph.Range{From: 64, To: 128}) || len(e.Below) != 0 || len(e.Parts) != 3 || e.Parts[1].Layers != 1 {
		t.Errorf("read %+v", m)
	}
	if got, err := DecodeParts(undump(t, "object-1.hex")); err != nil || !reflect.DeepEqual(got, smallParts()) {
		t.Errorf("read %+v (%v)", got, err)
	}
}

// The stored form is for as long as its version.
func TestTheStoredFormsStay(t *testing.T) {
	golden(t, "manifest.hex", smallManifest(t).Encode())
	for _, m := range []*Manifest{smallManifest(t), {}, {Tasks: []TaskEntry{{}}}} {
		if got, err := DecodeManifest(m.Encode()); err != nil || !reflect.DeepEqual(got, m) {
			t.Errorf("read back %+v (%v), want %+v", got, err, m)
		}
	}
	data, err := EncodeParts(smallParts())
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "object.hex", data)
	if n := sizeOf(smallParts()); n != len(data) {
		t.Errorf("it has %d bytes, and room for %d was made", len(data), n)
	}
	if got, err := DecodeParts(data); err != nil || !reflect.DeepEqual(got, smallParts()) {
		t.Errorf("read back %+v (%v)", got, err)
	}
	if p, err := CutPart(data, "none", graph.Range{To: 128}, nil); err != nil || !reflect.DeepEqual(p, Part{Operator: "none"}) {
		t.Errorf("an operator without a part has %+v (%v)", p, err)
	}
}

func TestKeyGroupsOutOfOrderAreNotStored(t *testing.T) {
	if _, err := EncodeParts([]Part{{Operator: "sum", Groups: []Group{{Number: 3}, {Number: 3}}}}); err == nil || !strings.Contains(err.Error(), `operator "sum": key group 3 after 3`) {
		t.Errorf("got %v", err)
	}
}

func TestAnotherVersionIsRefusedByItsNumber(t *testing.T) {
	data := smallManifest(t).Encode()
	data[len(manifestMagic)]++
	if _, err := DecodeManifest(seal(data[:len(data)-8])); err == nil || !strings.Contains(err.Error(), "format 3: this program reads formats 1 to 2") {
		t.Errorf("got %v", err)
	}
	if _, err := DecodeParts([]byte(partMagic + "\x03\x00\x00\x00")); err == nil || !strings.Contains(err.Error(), "format 3: this program reads formats 1 to 2") {
		t.Errorf("got %v", err)
	}
}

// seal puts the checksum of a manifest behind its bytes.
func seal(body []byte) []byte {
	return binary.LittleEndian.AppendUint64(slices.Clip(body), xxh3.Hash(body))
}

// damaged calls f with data in which one byte is another, or some are missing or too many.
func damaged(data []byte, f func([]byte)) {
	for i := range data {
		f(data[:i])
		for by := range 255 {
			bad := bytes.Clone(data)
			bad[i] ^= byte(by + 1)
			f(bad)
		}
	}
	f(append(bytes.Clone(data), 0))
}

func TestNoDamageGoesUnseen(t *testing.T) {
	damaged(smallManifest(t).Encode(), func(bad []byte) {
		if m, err := DecodeManifest(bad); err == nil {
			t.Fatalf("%q was taken for %+v", bad, m)
		}
	})
	data, err := EncodeParts(smallParts())
	if err != nil {
		t.Fatal(err)
	}
	h := HandleOf("chk/1/task", data)
	if err := h.Check(data); err != nil {
		t.Error(err)
	}
	damaged(data, func(bad []byte) {
		if err := h.Check(bad); err == nil || !strings.Contains(err.Error(), h.Key) {
			t.Fatalf("%q: %v", bad, err)
		}
	})
}

// flip changes one byte, if there is one and by is not 0.
func flip(data []byte, at uint, by byte) []byte {
	bad := bytes.Clone(data)
	if len(bad) > 0 {
		bad[at%uint(len(bad))] ^= by
	}
	return bad
}

func FuzzDecodeManifest(f *testing.F) {
	for _, m := range []*Manifest{smallManifest(f), {}} {
		data := m.Encode()
		f.Add(data[:len(data)-8], uint(20), byte(1))
		f.Add(append(bytes.Clone(data[:len(data)-8]), 0), uint(0), byte(0))
	}
	f.Add([]byte(manifestMagic+"\x01\x00\x00\x00\xff\xff\xff\xff"), uint(0), byte(0))
	f.Fuzz(func(t *testing.T, body []byte, at uint, by byte) {
		latest := len(body) > len(manifestMagic) && body[len(manifestMagic)] == manifestVersion
		if m, err := DecodeManifest(body); err == nil && latest && !bytes.Equal(m.Encode(), body) {
			t.Errorf("%q was taken for %+v", body, m)
		}
		data := seal(body)
		m, err := DecodeManifest(data)
		if err == nil && latest && !bytes.Equal(m.Encode(), data) {
			t.Errorf("%q was taken for %+v", data, m)
		}
		if m, err := DecodeManifest(flip(data, at, by)); err == nil && by != 0 {
			t.Errorf("%q with byte %d flipped was taken for %+v", data, at, m)
		}
	})
}

func FuzzDecodeParts(f *testing.F) {
	data, err := EncodeParts(smallParts())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data, uint(20), byte(1))
	f.Add([]byte(partMagic+"\x01\x00\x00\x00\xff\xff\xff\xff"), uint(0), byte(0))
	f.Add(append(bytes.Clone(data), 0), uint(0), byte(0))
	twice := bytes.Replace(data, []byte("\x05\x00\x00\x00\x00\x00\x00\x00"), []byte("\x03\x00\x00\x00\x00\x00\x00\x00"), 1)
	f.Add(twice, uint(0), byte(0)) // key group 3, and again
	f.Fuzz(func(t *testing.T, data []byte, at uint, by byte) {
		parts, err := DecodeParts(data)
		if err == nil && data[len(partMagic)] == partVersion {
			if again, err := EncodeParts(parts); err != nil || !bytes.Equal(again, data) {
				t.Errorf("%q was taken for %+v (%v)", data, parts, err)
			}
		}
		if len(data) > 0 && by != 0 && HandleOf("k", data).Check(flip(data, at, by)) == nil {
			t.Errorf("%q with byte %d flipped was taken", data, at)
		}
	})
}

// A length that does not fit is refused: what follows it could not be read.
func TestALengthOfMoreThan32BitsIsNotWritten(t *testing.T) {
	var e encoder
	if e.u32(math.MaxUint32); e.err != nil {
		t.Error(e.err)
	}
	if e.u32(math.MaxUint32 + 1); e.err == nil {
		t.Error("it was written")
	}
}

// What would be written of it reads back as something else.
func TestAManifestWithANumberTooLargeIsNotWritten(t *testing.T) {
	m := smallManifest(t)
	m.MaxParallelism = math.MaxUint32 + 1
	defer func() {
		if r := recover(); r == nil {
			t.Error("it was written")
		}
	}()
	m.Encode()
}
