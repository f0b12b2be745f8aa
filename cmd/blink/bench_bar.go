package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// bar shows on a terminal how far a measurement is; elsewhere it shows notes only. Safe for
// concurrent use: a job tells its notes when it likes.
type bar struct {
	to       io.Writer
	what     string
	terminal bool

	mu    sync.Mutex // guards what follows
	stage string
	shown *progressbar.ProgressBar // of the stage; nil: none
}

func newBar(to io.Writer, what string) *bar {
	f, ok := to.(*os.File)
	return &bar{to: to, what: what, terminal: ok && term.IsTerminal(int(f.Fd()))}
}

// progress says that so many of all units of a stage are done.
func (b *bar) progress(stage string, done, of uint64) {
	if !b.terminal {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.shown == nil || b.stage != stage {
		b.clear()
		b.stage = stage
		b.shown = progressbar.NewOptions64(int64(of),
			progressbar.OptionSetWriter(b.to), progressbar.OptionSetDescription(fmt.Sprintf("%-4s %-9s", b.what, stage)),
			progressbar.OptionSetWidth(30), progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionShowIts(), progressbar.OptionSetItsString("events"), progressbar.OptionClearOnFinish())
	}
	_ = b.shown.Set64(int64(min(done, of))) // a terminal that is gone shows nothing
}

// note is a line that stays.
func (b *bar) note(text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.clear()
	fmt.Fprintf(b.to, "%s: %s\n", b.what, text)
}

// end takes the bar away.
func (b *bar) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.clear()
	b.shown = nil
}

func (b *bar) clear() {
	if b.shown != nil {
		_ = b.shown.Clear() // as in progress
	}
}
