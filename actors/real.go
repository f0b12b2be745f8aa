package actors

import (
	"math/rand/v2"
	"runtime"
	"sync"
	"time"
)

// realTime is the Runtime of production.
type realTime struct {
	elastic
	pool
}

func newRealTime() *realTime { return &realTime{} }

func (*realTime) Now() time.Time { return time.Now() }

func (*realTime) AfterFunc(d time.Duration, f func()) (stop func()) {
	t := time.AfterFunc(d, f)
	return func() { t.Stop() }
}

func (*realTime) Seed(string) uint64   { return rand.Uint64() }
func (*realTime) Turn(string, any)     {}
func (*realTime) Yielded(string, any)  {}
func (*realTime) Lost(Ref, any)        {}
func (*realTime) Failed(string, error) {}

// elastic runs units on goroutines that are parked and used again: there are as many as
// units that run at a time, blocked ones included, and waking one costs a quarter of
// starting it.
type elastic struct {
	mu     sync.Mutex
	parked []chan Unit // the last parked is taken first
	closed bool
}

// maxParked bounds the goroutines kept without work.
const maxParked = 64

// Schedule runs u until it is idle.
func (e *elastic) Schedule(u Unit) {
	e.mu.Lock()
	n := len(e.parked)
	if n == 0 {
		e.mu.Unlock()
		go e.serve(u)
		return
	}
	next := e.parked[n-1]
	e.parked = e.parked[:n-1]
	e.mu.Unlock()
	next <- u
}

func (e *elastic) serve(u Unit) {
	run(u)
	for next := make(chan Unit, 1); e.park(next); {
		u, ok := <-next
		if !ok {
			return
		}
		run(u)
	}
}

// A busy unit lets others have its processor when it has had it for a slice, if there is only one. Go
// itself takes it away after 10 ms, and for so long timers, and who has something to tell the unit,
// would wait. Where there are more, an idle one would take the unit over, and its memory lies in the
// cache of the other: that costs a query a fifth.
const (
	slice        = 200 * time.Microsecond
	turnsPerLook = 4 // at the clock
)

// run runs u until it is idle.
func run(u Unit) {
	for last := time.Now(); u.Run(turnsPerLook); {
		if now := time.Now(); now.Sub(last) >= slice {
			if last = now; runtime.GOMAXPROCS(0) == 1 {
				runtime.Gosched()
			}
		}
	}
}

// park offers this goroutine; false: it must end.
func (e *elastic) park(next chan Unit) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed || len(e.parked) == maxParked {
		return false
	}
	e.parked = append(e.parked, next)
	return true
}

// close ends the parked goroutines, and the others when they are idle.
func (e *elastic) close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closed = true
	for _, next := range e.parked {
		close(next)
	}
	e.parked = nil
}

// pool runs Go work, each piece on a goroutine of its own, up to maxWork at a time. What
// waits shows as such in Inspect.
type pool struct {
	mu      sync.Mutex
	running int
	waiting ring[func()]
}

const maxWork = 1024

// Go runs a piece of work, now or when another returns.
func (p *pool) Go(_, _ string, run func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running == maxWork {
		p.waiting.push(run)
		return
	}
	p.running++
	go p.work(run)
}

func (p *pool) work(run func()) {
	defer p.next()
	run()
}

// next gives the place to who has waited longest. It runs also when work ended its goroutine.
func (p *pool) next() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.waiting.n == 0 {
		p.running--
		return
	}
	go p.work(p.waiting.pop())
}

// gate is a channel that is closed when something has come to its end.
type gate struct{ done chan struct{} }

func newGate() *gate { return &gate{make(chan struct{})} }

func (g *gate) open() { close(g.done) }
