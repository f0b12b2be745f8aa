package cluster

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// display shows a running job: on a terminal one line that changes, and notes above it;
// elsewhere the notes only. Safe for concurrent use.
type display struct {
	to       io.Writer
	name     string
	terminal bool
	start    time.Time

	mu   sync.Mutex
	line string // on the terminal now
}

func (d *display) observer() observer { return observer{progress: d.progress, note: d.note} }

const eraseLine = "\r\x1b[K"

func (d *display) progress(p progress) {
	if !d.terminal {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.line = fmt.Sprintf("%s  %s  %s records read  checkpoint %d  %d tasks restarted  %v",
		d.name, p.state, thousands(p.records), p.checkpoint, p.restarts, time.Since(d.start).Round(time.Second))
	fmt.Fprint(d.to, eraseLine, d.line)
}

func (d *display) note(text string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.line != "" {
		fmt.Fprint(d.to, eraseLine)
	}
	fmt.Fprintf(d.to, "%s: %s\n", d.name, text)
	fmt.Fprint(d.to, d.line)
}

// end takes the changing line away.
func (d *display) end() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.line != "" {
		fmt.Fprint(d.to, eraseLine)
	}
	d.line = ""
}
