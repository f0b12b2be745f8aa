package cluster

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"blink/jobmaster/leader"
	"blink/snapshot/store"
)

// patience ends a run whose state dir goes on failing. Whatever is stored is tried again
// without end, which is right for services that come back by themselves; a full disk waits
// for a person. So the first failure is told, and when another one comes a limit later, and
// no checkpoint was completed in between, the run ends: that is as safe as any crash.
//
//	calm ──failure──► waiting ──failure, limit later──► lost
//	  ▲                  │ pointer advanced
//	  └──────────────────┘
type patience struct {
	limit time.Duration
	now   func() time.Time
	note  func(string)
	lost  chan error // what ends the run; holds one

	mu    sync.Mutex
	since time.Time // guarded by mu: of the first failure; zero: calm
}

// diskPatience is how long a failing state dir is tried again.
const diskPatience = 5 * time.Second

func newPatience(note func(string)) *patience {
	return &patience{limit: diskPatience, now: time.Now, note: note, lost: make(chan error, 1)}
}

// failed looks at what a call answered, and hands it on.
func (p *patience) failed(err error) error {
	if err == nil || isAnswer(err) {
		return err
	}
	now := p.now()
	p.mu.Lock()
	first := p.since.IsZero()
	if first {
		p.since = now
	}
	over := now.Sub(p.since) >= p.limit
	p.mu.Unlock()
	switch {
	case first:
		p.note(fmt.Sprintf("the state dir cannot be used: %v: trying again for %v", err, p.limit))
	case over:
		select {
		case p.lost <- fmt.Errorf("the state dir could not be used for %v: %w: make room on the disk, or mend what it says, and run again", p.limit, err):
		default: // the run ends already
		}
	}
	return err
}

// isAnswer says whether an error is what the contract of a store or a leader service foresees,
// or the end of the one who called.
func isAnswer(err error) bool {
	for _, answer := range []error{store.ErrNotFound, store.ErrExists, leader.ErrSession, leader.ErrFenced, context.Canceled} {
		if errors.Is(err, answer) {
			return true
		}
	}
	return false
}

// calm is told that a checkpoint is complete.
func (p *patience) calm() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.since = time.Time{}
}

// patientStore is a Store that p watches. Deleting is not watched: what is left over is
// deleted later.
type patientStore struct {
	store.Store
	p *patience
}

// Put implements store.Store.
func (s patientStore) Put(ctx context.Context, key string, data []byte) error {
	return s.p.failed(s.Store.Put(ctx, key, data))
}

// PutNew implements store.Store.
func (s patientStore) PutNew(ctx context.Context, key string, data []byte) error {
	return s.p.failed(s.Store.PutNew(ctx, key, data))
}

// Get implements store.Store.
func (s patientStore) Get(ctx context.Context, key string) ([]byte, error) {
	data, err := s.Store.Get(ctx, key)
	return data, s.p.failed(err)
}

// List implements store.Store.
func (s patientStore) List(ctx context.Context, prefix string) ([]string, error) {
	keys, err := s.Store.List(ctx, prefix)
	return keys, s.p.failed(err)
}

// patientLeader is a leader service that p watches.
type patientLeader struct {
	leader.Service
	p *patience
}

// Acquire implements leader.Service.
func (l patientLeader) Acquire(ctx context.Context, key, session, value string) (epoch uint64, ok bool, err error) {
	epoch, ok, err = l.Service.Acquire(ctx, key, session, value)
	return epoch, ok, l.p.failed(err)
}

// Advance implements leader.Service.
func (l patientLeader) Advance(ctx context.Context, key, session, was, value string) error {
	err := l.p.failed(l.Service.Advance(ctx, key, session, was, value))
	if err == nil {
		l.p.calm()
	}
	return err
}
