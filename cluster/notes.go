package cluster

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"
)

// notes brings lines to people, and what the runtime logs at level warn and above, without
// keeping anybody waiting: actors tell them in their turns, and whoever reads the other end of
// a pipe may be slow. At most maxNotes wait; what does not fit is counted. A line that follows
// itself within noteAgain is told once. Safe for concurrent use.
type notes struct {
	to    func(string)
	lines chan string
	done  chan struct{}

	mu     sync.Mutex // guards what follows
	closed bool
	last   string
	at     time.Time
	left   int // lines left out
}

const (
	maxNotes  = 256
	noteAgain = 10 * time.Second
)

func newNotes(to func(string)) *notes {
	n := &notes{to: to, lines: make(chan string, maxNotes), done: make(chan struct{})}
	go n.drain()
	return n
}

func (n *notes) drain() {
	defer close(n.done)
	for line := range n.lines {
		n.to(line)
		if left := n.take(); left > 0 {
			n.to(fmt.Sprintf("(%d lines were left out: they came faster than they are read)", left))
		}
	}
}

func (n *notes) take() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	left := n.left
	n.left = 0
	return left
}

func (n *notes) tell(line string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := time.Now()
	if n.closed || line == n.last && now.Sub(n.at) < noteAgain {
		return
	}
	select {
	case n.lines <- line:
		n.last, n.at = line, now
	default:
		n.left++
	}
}

// close waits until what was told has been brought.
func (n *notes) close() {
	n.mu.Lock()
	if !n.closed {
		n.closed = true
		close(n.lines)
	}
	n.mu.Unlock()
	<-n.done
}

// log returns a logger whose warnings and errors become notes.
func (n *notes) log() zerolog.Logger {
	return zerolog.New(zerolog.ConsoleWriter{
		Out: noteWriter{n}, NoColor: true,
		FormatErrFieldName:  func(any) string { return "error: " },
		FormatErrFieldValue: unquoted,
		PartsExclude:        []string{zerolog.TimestampFieldName, zerolog.LevelFieldName}, FieldsExclude: []string{"actor", "stack", "try"},
	}).Level(zerolog.WarnLevel)
}

// unquoted is a value as it was before it was quoted for a log.
func unquoted(v any) string {
	text := fmt.Sprint(v)
	if plain, err := strconv.Unquote(text); err == nil {
		return plain
	}
	return text
}

// noteWriter takes a line of the log with each Write.
type noteWriter struct{ n *notes }

// Write implements io.Writer.
func (w noteWriter) Write(line []byte) (int, error) {
	w.n.tell(strings.TrimSpace(string(line)))
	return len(line), nil
}
