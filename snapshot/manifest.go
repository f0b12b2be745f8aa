package snapshot

import (
	"errors"
	"fmt"

	"blink/graph"
	"blink/internal/invariant"
)

// Manifest is a checkpoint: where the snapshot of every task is.
type Manifest struct {
	Job            string
	Fingerprint    string // of the job graph that took it
	Checkpoint     uint64
	Epoch          uint64 // of the leader that wrote it
	MaxParallelism int
	Tasks          []TaskEntry // by vertex, then subtask
	// Older are the keys of the manifests that were retained beside it, the newest first.
	Older []string
}

// Key is the object that the manifest is written to.
func (m *Manifest) Key() string { return manifestKey(m.Checkpoint, m.Epoch) }

// TaskEntry is one task's share of a checkpoint: layers of objects, each a delta onto the one
// below, the newest of which was written for the checkpoint itself. Only layers that a part
// needs are listed.
type TaskEntry struct {
	Task    graph.TaskID
	Attempt uint32
	Handle  Handle   // of the newest layer
	Below   []Handle // the other layers, the oldest first
	// Groups are the key groups that the task owned.
	Groups graph.Range
	Parts  []PartEntry
}

// PartEntry is what the manifest knows of one operator's part.
type PartEntry struct {
	Operator string
	Layers   int      // how many layers hold it, counted from the newest; 1: it is whole
	Items    []string // names, in the order of the newest layer, which holds all of them
	States   []StateSchema
}

const (
	manifestMagic   = "BLNKCHKP"
	manifestVersion = 2
)

// manifestKey is the object that a leader of this epoch writes a checkpoint's manifest to.
func manifestKey(checkpoint, epoch uint64) string {
	return fmt.Sprintf("%smanifest-%d", checkpointPrefix(checkpoint), epoch)
}

// TaskKey is the object that a task writes its snapshot to.
func TaskKey(checkpoint uint64, t graph.TaskID, attempt uint32, epoch uint64) string {
	return fmt.Sprintf("%stask-%d-%d-%d-%d", checkpointPrefix(checkpoint), t.Vertex, t.Subtask, attempt, epoch)
}

// keyIn is the key that the task of another object had for its snapshot of this checkpoint; ok
// says that the other key is one of a checkpoint.
func keyIn(checkpoint uint64, other string) (key string, ok bool) {
	_, rest, ok := checkpointOf(other)
	return checkpointPrefix(checkpoint) + rest, ok
}

// checkpointPrefix is what the keys of all objects of a checkpoint begin with.
func checkpointPrefix(checkpoint uint64) string {
	return fmt.Sprintf("%s%010d/", CheckpointsPrefix, checkpoint)
}

// CheckpointsPrefix is what the keys of all checkpoints begin with.
const CheckpointsPrefix = "chk/"

// Encode gives the manifest's bytes, its checksum at the end.
func (m *Manifest) Encode() []byte {
	e := encoder{}
	e.raw(manifestMagic)
	e.u32(manifestVersion)
	e.text(m.Job)
	e.text(m.Fingerprint)
	e.u64(m.Checkpoint)
	e.u64(m.Epoch)
	e.u32(m.MaxParallelism)
	e.u32(len(m.Tasks))
	for _, t := range m.Tasks {
		e.u32(int(t.Task.Vertex))
		e.u32(t.Task.Subtask)
		e.u32(int(t.Attempt))
		e.text(t.Handle.Key)
		e.u64(uint64(t.Handle.Size))
		e.u64(t.Handle.Checksum)
		e.u32(len(t.Below))
		for _, h := range t.Below { // its key is that of the newest layer for another checkpoint
			id, _ := CheckpointOf(h.Key)
			e.u64(id)
			e.u64(uint64(h.Size))
			e.u64(h.Checksum)
		}
		e.u32(t.Groups.From)
		e.u32(t.Groups.To)
		e.u32(len(t.Parts))
		for _, p := range t.Parts {
			e.text(p.Operator)
			e.u32(p.Layers)
			e.u32(len(p.Items))
			for _, it := range p.Items {
				e.text(it)
			}
			e.states(p.States)
		}
	}
	e.u32(len(m.Older))
	for _, k := range m.Older {
		e.text(k)
	}
	invariant.Check(e.err == nil, "the manifest of checkpoint %d: %v", m.Checkpoint, e.err)
	return Seal(e.b)
}

// DecodeManifest reads what Encode wrote and says what is wrong with anything else.
func DecodeManifest(data []byte) (*Manifest, error) {
	if len(data) < len(manifestMagic)+8 || string(data[:len(manifestMagic)]) != manifestMagic {
		return nil, errors.New("not a checkpoint manifest")
	}
	body, err := Unseal(data)
	if err != nil {
		return nil, fmt.Errorf("checkpoint manifest: %w", err)
	}
	d := decoder{b: body[len(manifestMagic):]}
	v := d.u32()
	if v < 1 || v > manifestVersion {
		return nil, fmt.Errorf("checkpoint manifest of format %d: this program reads formats 1 to %d", v, manifestVersion)
	}
	m := &Manifest{Job: d.text(), Fingerprint: d.text(), Checkpoint: d.u64(), Epoch: d.u64(), MaxParallelism: d.u32()}
	for range d.count(44) {
		m.Tasks = append(m.Tasks, d.task(v))
	}
	for range d.count(4) {
		m.Older = append(m.Older, d.text())
	}
	if d.err == nil && len(d.b) > 0 {
		d.err = fmt.Errorf("%d bytes too many", len(d.b))
	}
	if d.err != nil {
		return nil, fmt.Errorf("checkpoint manifest: %w", d.err)
	}
	return m, nil
}

// task reads an entry. In version 1 each task had one layer.
func (d *decoder) task(version int) TaskEntry {
	t := TaskEntry{
		Task:    graph.TaskID{Vertex: graph.VertexID(d.u32()), Subtask: d.u32()},
		Attempt: uint32(d.u32()),
		Handle:  Handle{Key: d.text(), Size: int64(d.u64()), Checksum: d.u64()},
	}
	if version > 1 {
		for range d.count(24) {
			t.Below = append(t.Below, d.layer(t.Handle.Key))
		}
	}
	t.Groups = graph.Range{From: d.u32(), To: d.u32()}
	for range d.count(12) {
		p := PartEntry{Operator: d.text(), Layers: 1}
		if version > 1 {
			p.Layers = d.u32()
		}
		if (p.Layers < 1 || p.Layers > 1+len(t.Below)) && d.err == nil {
			d.err = fmt.Errorf("operator %q has %d layers of %d", p.Operator, p.Layers, 1+len(t.Below))
		}
		for range d.count(4) {
			p.Items = append(p.Items, d.text())
		}
		p.States = d.states()
		t.Parts = append(t.Parts, p)
	}
	return t
}

// layer reads an older layer of the task whose newest layer has this key.
func (d *decoder) layer(newest string) Handle {
	key, ok := keyIn(d.u64(), newest)
	if !ok && d.err == nil {
		d.err = fmt.Errorf("layers below %q", newest)
	}
	return Handle{Key: key, Size: int64(d.u64()), Checksum: d.u64()}
}
