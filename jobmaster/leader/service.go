package leader

import (
	"context"
	"errors"
	"time"
)

// Service is leader election and the pointer of each job. Methods block and are called off
// the actor; safe for concurrent use. They return in bounded time: an implementation that asks
// somebody else puts a time-out on it. An error other than those named leaves it open whether
// the call was carried out.
type Service interface {
	// Open begins a session, which ends when it was not renewed for at least ttl.
	Open(ctx context.Context, ttl time.Duration) (session string, err error)
	// Renew answers ErrSession when the session has ended.
	Renew(ctx context.Context, session string) error
	// Close ends the session in order and gives back what it holds. None there is no error.
	Close(ctx context.Context, session string) error
	// Acquire gives key to the session if it is vacant, and stores value with it. epoch is
	// greater than that of every earlier holder; a holder that asks again gets the same one.
	// ok is false when another session holds the key. ErrSession as in Renew.
	Acquire(ctx context.Context, key, session, value string) (epoch uint64, ok bool, err error)
	// Get reads the key.
	Get(ctx context.Context, key string) (Entry, error)
	// Advance sets the pointer of key from was to value, if the session holds key. It may be
	// repeated: a pointer that is at value already is well. Else ErrFenced, and nothing has
	// changed. So a call that is carried out late, when its answer was given up long ago and
	// later ones have followed, moves nothing back.
	Advance(ctx context.Context, key, session, was, value string) error
	// Pointer reads the pointer of key, "" before the first Advance.
	Pointer(ctx context.Context, key string) (value string, err error)
}

// Entry is what a key holds.
type Entry struct {
	Session string // that holds it; "" when it is vacant
	Value   string // of the last holder
	Epoch   uint64 // of the last holder
}

// What a Service answers.
var (
	ErrSession = errors.New("the session has ended")
	ErrFenced  = errors.New("another leader holds the job")
)
