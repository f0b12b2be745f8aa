package operator

import (
	"slices"
	"sort"

	"blink/graph"
	"blink/internal/invariant"
	"blink/internal/mutate"
	"blink/snapshot"
)

// The tables of windows are frozen at a barrier without a look at their rows, and drained
// between records. Each freeze ends a generation. A row bears the generation of its last write,
// so one comparison tells its first write since; then it is encoded before it changes, unless
// it is drained by then.
//
//	generation   4          5                6
//	           ─────freeze─────────┬──freeze─────┬──writes──►
//	                complete, 17   │  18, aborted│  19 onto 17: what 5 and 6 have logged
//
// From the first freeze on a table logs the rows of each generation, and a snapshot onto a
// checkpoint holds those of the generations behind it. What is gone needs no word: slices and
// sessions end with event time, which each snapshot tells, and a session that was joined lies
// within the one that it became part of.

// generations are what an operator of windows knows of its freezes.
type generations struct {
	current uint32
	ended   []generation // those that a snapshot may go onto, ascending; the last freeze
}

// generation is one that a freeze has ended.
type generation struct {
	number     uint32
	checkpoint uint64
	whole      int // bytes of the newest whole snapshot up to then …
	deltas     int // … and of all that go onto it
}

// versions are what freezing knows of the rows of a table.
type versions struct {
	used int32 // rows that were ever taken
	free []int32

	gen    uint32       // the current generation; 0: the table was never frozen
	log    []write      // of the generations behind the first, ascending
	frozen *frozenTable // what is not drained of a snapshot
}

// head begins a row.
type head struct {
	hash    uint64
	gen     uint32 // of the last write
	drained uint32 // the generation in which it was last drained or saved
}

// write is the first one to a row in a generation.
type write struct {
	gen uint32
	row int32
}

// vacant gives the number of a free row. A fresh one was never taken before.
func (l *versions) vacant() (n int32, fresh bool) {
	if last := len(l.free); last > 0 {
		n = l.free[last-1]
		l.free = l.free[:last-1]
		return n, false
	}
	l.used++
	return l.used - 1, true
}

// held is how many rows are taken.
func (l *versions) held() int { return int(l.used) - len(l.free) }

// touch is called before a row of an earlier generation changes.
func (l *versions) touch(n int32, h *head) {
	if l.frozen != nil {
		l.frozen.save(n, h)
	}
	l.written(n, h)
}

// written puts a row into the current generation.
func (l *versions) written(n int32, h *head) {
	h.gen = l.gen
	l.log = append(l.log, write{l.gen, n})
}

// since is what is logged behind a generation.
func (l *versions) since(base int64) []write {
	return l.log[sort.Search(len(l.log), func(i int) bool { return int64(l.log[i].gen) > base }):]
}

// frozenTables is a Frozen of tables.
type frozenTables struct {
	mark   []byte // begins the data of each group
	part   snapshot.Part
	max    int
	owned  graph.Range
	tables []frozenTable

	of     *generations
	base   int64 // the generation that it goes onto, or whole
	below  generation
	end    uint32 // the generation that it ended
	next   int    // of tables
	groups [][]byte
	saves  []byte // rows that were written before they were drained
	err    error  // of one that could not be encoded
}

const whole = int64(-1)

// frozenTable is one table of it.
type frozenTable struct {
	in    *frozenTables
	of    *versions
	rows  storedRows
	used  int32   // rows that there were
	log   []write // what a delta holds
	next  int     // row, or write of the log
	saved map[int32]savedRow
}

// storedRows are the rows of a table.
type storedRows interface {
	head(n int32) *head
	// encode appends the stored form of a row.
	encode(dst []byte, n int32) ([]byte, error)
}

// savedRow is a row that was written, as it was when it was frozen.
type savedRow struct {
	gen      uint32
	group    int
	from, to int // in saves
}

const (
	lookBytes = 16   // what looking at a row costs of a budget
	fewWrites = 1024 // logs are not too long below
	// maxGenerations are remembered: then a whole snapshot is due. So many checkpoints in a row
	// have not become complete, or are not to be built on.
	maxGenerations = 256
)

// freeze freezes the tables, which an operator has put into f with their encoding. One snapshot
// is taken at a time: the last one is drained or dropped by then.
func (f *frozenTables) freeze(of *generations, pl *place, o SnapshotOptions) *frozenTables {
	f.part.Operator, f.of, f.base, f.end = pl.id, of, whole, of.current
	f.max, f.owned, f.groups = pl.task.MaxParallelism, pl.task.Groups, make([][]byte, pl.task.Groups.To-pl.task.Groups.From)
	if at := of.find(o.Onto); at >= 0 {
		of.ended = of.ended[at:]
		if below := of.ended[0]; f.worthwhile(below) {
			f.below, f.base, f.part.Onto = below, int64(below.number), o.Onto
		}
	}
	known := f.known()
	of.ended = append(of.ended, generation{number: of.current, checkpoint: o.Checkpoint})
	of.current++
	for i := range f.tables {
		f.tables[i].freeze(f, known)
	}
	return f
}

// find is the place of the generation that ended with a checkpoint, -1 if it is not known any
// more.
func (g *generations) find(checkpoint uint64) int {
	if checkpoint == 0 {
		return -1
	}
	return slices.IndexFunc(g.ended, func(e generation) bool { return e.checkpoint == checkpoint })
}

// worthwhile says whether a delta behind a generation may be smaller than a whole snapshot,
// and what has been replaced below it takes less than what has not.
func (f *frozenTables) worthwhile(below generation) bool {
	rows, writes := f.count(int64(below.number))
	return below.deltas <= below.whole && writes <= rows/2
}

// count is how many rows there are, and how many writes are logged behind a generation.
func (f *frozenTables) count(base int64) (rows, writes int) {
	for _, t := range f.tables {
		rows += t.of.held()
		writes += len(t.of.since(base))
	}
	return rows, writes
}

// known is the generation whose followers stay logged: no later snapshot goes onto an earlier
// one. If there is more logged than there is, or many have ended, all is forgotten, and a whole
// snapshot is taken next.
func (f *frozenTables) known() int64 {
	base := whole
	if len(f.of.ended) > 0 {
		base = int64(f.of.ended[0].number)
	}
	if rows, writes := f.count(base); writes > max(rows, fewWrites) || len(f.of.ended) >= maxGenerations {
		f.of.ended = nil
		base = int64(f.end)
	}
	return base
}

func (t *frozenTable) freeze(f *frozenTables, known int64) {
	l := t.of
	invariant.Check(l.frozen == nil, "windows are frozen before the last snapshot is drained or dropped")
	if t.in, t.used = f, l.used; f.base != whole {
		t.log = l.since(f.base)
	}
	l.log = l.since(known)
	l.gen, l.frozen = f.of.current, t
}

// save encodes a row that is about to change, or to be seen by others, if it is part of the
// snapshot and not drained.
func (t *frozenTable) save(n int32, h *head) {
	f := t.in
	if h.hash == 0 || int64(h.gen) <= f.base || h.drained > f.end || mutate.On(mutate.WriteFrozen) {
		return
	}
	h.drained = f.end + 1
	from := len(f.saves)
	saves, err := t.rows.encode(f.saves, n)
	if err != nil {
		f.err = err
		return
	}
	if t.saved == nil {
		t.saved = map[int32]savedRow{}
	}
	f.saves = saves
	t.saved[n] = savedRow{h.gen, graph.KeyGroup(h.hash, f.max), from, len(saves)}
}

// Drain is of Frozen.
func (f *frozenTables) Drain(budget int) (done bool, err error) {
	for f.next < len(f.tables) {
		t := &f.tables[f.next]
		for !t.drained() {
			if budget <= 0 || f.err != nil {
				return false, f.err
			}
			n, err := t.drain()
			if err != nil {
				return false, err
			}
			budget -= n + lookBytes
		}
		t.of.frozen = nil
		f.next++
	}
	f.finish()
	return true, f.err
}

func (t *frozenTable) drained() bool {
	if t.in.base == whole {
		return t.next == int(t.used)
	}
	return t.next == len(t.log)
}

// drain takes a row into the snapshot: the next of all, or of those that are logged.
func (t *frozenTable) drain() (bytes int, err error) {
	i := t.next
	t.next++
	if t.in.base == whole {
		return t.put(int32(i), whole)
	}
	return t.put(t.log[i].row, int64(t.log[i].gen))
}

// put puts a row into its group if it was taken and, unless the snapshot is whole, the
// generation is that of its last write before the freeze: several may have logged it.
func (t *frozenTable) put(n int32, gen int64) (bytes int, err error) {
	f, h := t.in, t.rows.head(n)
	if n == 1 && mutate.On(mutate.DropKey) {
		return 0, nil
	}
	if h.drained > f.end { // it was saved, or is logged twice
		kept, ok := t.saved[n]
		if !ok || gen != whole && int64(kept.gen) != gen {
			return 0, nil
		}
		g := f.group(kept.group)
		*g = append(*g, f.saves[kept.from:kept.to]...)
		return kept.to - kept.from, nil
	}
	if h.gen > f.end || h.hash == 0 || gen != whole && int64(h.gen) != gen {
		return 0, nil
	}
	h.drained = f.end + 1
	g := f.group(graph.KeyGroup(h.hash, f.max))
	before := len(*g)
	data, err := t.rows.encode(*g, n)
	*g = data
	return len(data) - before, err
}

// group is the data of a group, begun.
func (f *frozenTables) group(number int) *[]byte {
	g := &f.groups[number-f.owned.From]
	if *g == nil {
		*g = slices.Clone(f.mark)
	}
	return g
}

// finish completes the part. Each group carries the mark, also one of which nothing is held:
// the task that it goes to must know what has fired.
func (f *frozenTables) finish() {
	bytes := 0
	for i, data := range f.groups {
		if data == nil {
			data = f.mark
		}
		f.part.Groups = append(f.part.Groups, snapshot.Group{Number: f.owned.From + i, Data: data})
		bytes += len(data)
	}
	g := &f.of.ended[len(f.of.ended)-1] // nothing was frozen since
	if g.whole = bytes; f.base != whole {
		g.whole, g.deltas = f.below.whole, f.below.deltas+bytes
	}
	f.Drop()
}

// Part is of Frozen.
func (f *frozenTables) Part() snapshot.Part { return f.part }

// Drop is of Frozen.
func (f *frozenTables) Drop() {
	for i := range f.tables {
		if t := &f.tables[i]; t.of.frozen == t {
			t.of.frozen = nil
		}
	}
	f.tables, f.saves = nil, nil
}
