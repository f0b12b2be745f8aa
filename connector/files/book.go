package files

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/zeebo/xxh3"
)

// Written is a part with what it holds. It is kept in snapshots until the checkpoint is
// complete and the part is committed, and then in a ledger.
type Written struct {
	Part
	Size int64
	Sum  uint64 // xxh3
}

// ledger is what was committed, in ascending order.
type ledger []Written

// width says how many tasks the checkpoints after one have.
type width struct {
	after uint64
	tasks int
}

// book is what one attempt of a task knows of the commits of a single file, as a file in the
// folder of parts. It is made when the attempt begins, out of those of its predecessors, and
// task 0 takes over those of tasks that no longer exist; each commit adds lines. Together they
// name all committed parts, and that of task 0 how many there must be.
//
//	tasks 2 3 0123456789abcdef                          after checkpoint 2 there are 3 tasks
//	0000000003-00000-1.1 4711 89abcdef01234567 …        part, bytes, checksum
//
// Each line ends with the checksum of itself and all lines above. A last line without its end
// is what a crash leaves of a commit that was not answered, and so is repeated: it counts as
// not there. All other damage is an error.
//
// Invariant: a part in a book is durable, staged at least.
type book struct {
	widths []width
	parts  ledger
}

func (p Part) ledger() string { return fmt.Sprintf("ledger-%05d-%v", p.Task, p.Attempt) }

func parseLedger(name string) (Part, bool) {
	rest, ok := strings.CutPrefix(name, "ledger-")
	p, isPart := parseWriting("writing-" + rest)
	return p, ok && isPart
}

// bookLines are lines of a book in the making.
type bookLines struct {
	text []byte
	sum  uint64 // of the last line so far
}

// Each line ends so.
const (
	sumFormat = " %016x\n"
	sumBytes  = len(" 0123456789abcdef\n")
)

func chained(before uint64, line []byte) uint64 { return xxh3.HashSeed(line, before) }

func (l *bookLines) add(format string, args ...any) {
	line := fmt.Appendf(nil, format, args...)
	l.sum = chained(l.sum, line)
	l.text = fmt.Appendf(append(l.text, line...), sumFormat, l.sum)
}

func (l *bookLines) addParts(parts []Written) {
	for _, w := range parts {
		l.add("%s %d %016x", w.staged(), w.Size, w.Sum)
	}
}

func (b book) encode() []byte {
	var l bookLines
	for _, w := range b.widths {
		l.add("tasks %d %d", w.after, w.tasks)
	}
	l.addParts(b.parts)
	return l.text
}

var errDamaged = errors.New("it is damaged")

func decodeBook(data []byte) (b book, err error) {
	var sum uint64
	for line := range bytes.Lines(data) {
		if line[len(line)-1] != '\n' {
			break
		}
		text := line[:max(0, len(line)-sumBytes)]
		if sum = chained(sum, text); string(line[len(text):]) != fmt.Sprintf(sumFormat, sum) {
			return book{}, errDamaged
		}
		if err := b.read(string(text)); err != nil {
			return book{}, err
		}
	}
	if len(b.widths) == 0 {
		return book{}, errDamaged
	}
	return b, nil
}

func (b *book) read(line string) error {
	var w width
	if _, err := fmt.Sscanf(line, "tasks %d %d", &w.after, &w.tasks); err == nil {
		b.widths = append(b.widths, w)
		return nil
	}
	var name string
	var p Written
	_, err := fmt.Sscanf(line, "%s %d %x", &name, &p.Size, &p.Sum)
	var ok bool
	if p.Part, ok = parseStaged(name); !ok || err != nil {
		return errDamaged
	}
	b.parts = append(b.parts, p)
	return nil
}

// tasks is how many of the tasks that took part in a checkpoint must have a book: those of them
// that no attempt which began with that checkpoint, or with a later one, has done without.
func (b book) tasks(checkpoint uint64) int {
	n := b.width(checkpoint)
	for _, w := range b.widths {
		if w.after >= checkpoint {
			n = min(n, w.tasks)
		}
	}
	return n
}

// width is how many tasks took part in a checkpoint; 0 if that is before the sink.
func (b book) width(checkpoint uint64) (tasks int) {
	for _, w := range b.widths {
		if w.after < checkpoint {
			tasks = w.tasks
		}
	}
	return tasks
}

// begin are the widths of the book of an attempt of so many tasks that begins with a
// checkpoint. What attempts from there on have done without stays written.
func (b book) begin(checkpoint uint64, tasks int) []width {
	ws := slices.DeleteFunc(slices.Clone(b.widths), func(w width) bool { return w.after >= checkpoint })
	if left := b.tasks(checkpoint); left < b.width(checkpoint) {
		ws = append(ws, width{checkpoint, left})
	}
	return append(ws, width{checkpoint, tasks})
}

// with is the union of two ledgers: a commit that is repeated adds nothing.
func (l ledger) with(more []Written) ledger {
	all := slices.Concat(l, ledger(more))
	slices.SortFunc(all, func(a, b Written) int { return compareParts(a.Part, b.Part) })
	return slices.CompactFunc(all, func(a, b Written) bool { return a.Part == b.Part })
}

// until is what was committed up to a checkpoint.
func (l ledger) until(checkpoint uint64) ledger {
	return slices.DeleteFunc(slices.Clone(l), func(w Written) bool { return w.Checkpoint > checkpoint })
}
