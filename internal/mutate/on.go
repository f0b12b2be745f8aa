//go:build mutate

package mutate

import "sync/atomic"

// active is the mutation in force. It is atomic because production actors of
// several dispatchers may ask while a test is still running.
var active atomic.Uint32

// Set removes the guard n, and puts back the one removed before; None puts all
// back. It belongs to tests, and exists only under the build tag "mutate".
func Set(n Name) { active.Store(uint32(n)) }

// On reports whether the guard n is removed.
func On(n Name) bool { return n != None && active.Load() == uint32(n) }
