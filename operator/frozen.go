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

// frozenTables is a Frozen of tables with an E for each key.
type frozenTables[K comparable, E any] struct {
	// encode appends the stored form of a row of the table that begins at start.
	encode func(dst []byte, start int64, r *row[K, E]) ([]byte, error)
	mark   []byte // begins the data of each group
	part   snapshot.Part
	max    int
	owned  graph.Range
	tables []frozenTable[K, E]

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
type frozenTable[K comparable, E any] struct {
	in    *frozenTables[K, E]
	table *table[K, E]
	start int64
	used  int32   // rows that there were
	log   []write // what a delta holds
	next  int     // row, or write of the log
	saved map[int32]savedRow
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
)

// freeze freezes the tables, which an operator has put into f with their encoding. One snapshot
// is taken at a time: the last one is drained or dropped by then.
func (f *frozenTables[K, E]) freeze(of *generations, pl *place, o SnapshotOptions) *frozenTables[K, E] {
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
func (f *frozenTables[K, E]) worthwhile(below generation) bool {
	rows, writes := f.count(int64(below.number))
	return below.deltas <= below.whole && writes <= rows/2
}

// count is how many rows there are, and how many writes are logged behind a generation.
func (f *frozenTables[K, E]) count(base int64) (rows, writes int) {
	for _, t := range f.tables {
		rows += t.table.held()
		writes += len(t.table.since(base))
	}
	return rows, writes
}

// known is the generation whose followers stay logged: no later snapshot goes onto an earlier
// one. If there is more logged than there is, all is forgotten, and a whole snapshot is taken
// next.
func (f *frozenTables[K, E]) known() int64 {
	base := whole
	if len(f.of.ended) > 0 {
		base = int64(f.of.ended[0].number)
	}
	if rows, writes := f.count(base); writes > max(rows, fewWrites) {
		f.of.ended = nil
		base = int64(f.end)
	}
	return base
}

// since is what is logged behind a generation.
func (t *table[K, E]) since(base int64) []write {
	return t.log[sort.Search(len(t.log), func(i int) bool { return int64(t.log[i].gen) > base }):]
}

func (t *frozenTable[K, E]) freeze(f *frozenTables[K, E], known int64) {
	invariant.Check(t.table.frozen == nil, "windows are frozen before the last snapshot is drained or dropped")
	t.in, t.used = f, t.table.used
	if f.base != whole {
		t.log = t.table.since(f.base)
	}
	t.table.log = t.table.since(known)
	t.table.gen, t.table.frozen = f.of.current, t
}

// save encodes a row that is about to change, or to be seen by others, if it is part of the
// snapshot and not drained.
func (t *frozenTable[K, E]) save(n int32, r *row[K, E]) {
	f := t.in
	if r.hash == 0 || int64(r.gen) <= f.base || r.drained > f.end || mutate.On(mutate.WriteFrozen) {
		return
	}
	r.drained = f.end + 1
	from := len(f.saves)
	saves, err := f.encode(f.saves, t.start, r)
	if err != nil {
		f.err = err
		return
	}
	if t.saved == nil {
		t.saved = map[int32]savedRow{}
	}
	f.saves = saves
	t.saved[n] = savedRow{r.gen, graph.KeyGroup(r.hash, f.max), from, len(saves)}
}

// Drain is of Frozen.
func (f *frozenTables[K, E]) Drain(budget int) (done bool, err error) {
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
		t.table.frozen = nil
		f.next++
	}
	f.finish()
	return true, f.err
}

func (t *frozenTable[K, E]) drained() bool {
	if t.in.base == whole {
		return t.next == int(t.used)
	}
	return t.next == len(t.log)
}

// drain takes a row into the snapshot: the next of all, or of those that are logged.
func (t *frozenTable[K, E]) drain() (bytes int, err error) {
	i := t.next
	t.next++
	if t.in.base == whole {
		return t.put(int32(i), whole)
	}
	return t.put(t.log[i].row, int64(t.log[i].gen))
}

// put puts a row into its group if it was taken and, unless the snapshot is whole, the
// generation is that of its last write before the freeze: several may have logged it.
func (t *frozenTable[K, E]) put(n int32, gen int64) (bytes int, err error) {
	f, r := t.in, t.table.row(n)
	if n == 1 && mutate.On(mutate.DropKey) {
		return 0, nil
	}
	if r.drained > f.end { // it was saved, or is logged twice
		kept, ok := t.saved[n]
		if !ok || gen != whole && int64(kept.gen) != gen {
			return 0, nil
		}
		g := f.group(kept.group)
		*g = append(*g, f.saves[kept.from:kept.to]...)
		return kept.to - kept.from, nil
	}
	if r.gen > f.end || r.hash == 0 || gen != whole && int64(r.gen) != gen {
		return 0, nil
	}
	r.drained = f.end + 1
	g := f.group(graph.KeyGroup(r.hash, f.max))
	before := len(*g)
	data, err := f.encode(*g, t.start, r)
	*g = data
	return len(data) - before, err
}

// group is the data of a group, begun.
func (f *frozenTables[K, E]) group(number int) *[]byte {
	g := &f.groups[number-f.owned.From]
	if *g == nil {
		*g = slices.Clone(f.mark)
	}
	return g
}

// finish completes the part. Each group carries the mark, also one of which nothing is held:
// the task that it goes to must know what has fired.
func (f *frozenTables[K, E]) finish() {
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
func (f *frozenTables[K, E]) Part() snapshot.Part { return f.part }

// Drop is of Frozen.
func (f *frozenTables[K, E]) Drop() {
	for i := range f.tables {
		if t := &f.tables[i]; t.table.frozen == t {
			t.table.frozen = nil
		}
	}
	f.tables, f.saves = nil, nil
}
