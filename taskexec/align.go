package taskexec

import "blink/internal/mutate"

// aligner decides when a task takes its snapshot: when every channel has brought the
// barrier or has ended. A channel that brought it is blocked until then, so that nothing
// behind the barrier reaches the state. A source has no channels; it is ready as soon as it
// is triggered. So is a task all of whose channels have ended.
//
// Invariant: done < current, or current is 0.
type aligner struct {
	barriers []uint64 // highest barrier each channel brought
	ended    []bool
	current  uint64 // checkpoint being aligned; 0 is none
	done     uint64 // every checkpoint up to this one was started here or is concluded
}

func newAligner(channels int) *aligner {
	return &aligner{barriers: make([]uint64, channels), ended: make([]bool, channels)}
}

// barrier is told that channel ch brought the barrier of checkpoint id. A newer checkpoint
// takes the place of the one being aligned, which must have been aborted.
func (a *aligner) barrier(ch int, id uint64) {
	a.barriers[ch] = max(a.barriers[ch], id)
	a.trigger(id)
}

// trigger is told that checkpoint id has begun.
func (a *aligner) trigger(id uint64) {
	if id > a.done {
		a.current = max(a.current, id)
	}
}

// end is told that channel ch brings nothing more.
func (a *aligner) end(ch int) { a.ended[ch] = true }

// conclude is told that every checkpoint up to id is complete or aborted.
func (a *aligner) conclude(id uint64) {
	a.done = max(a.done, id)
	if a.current <= a.done {
		a.current = 0
	}
}

// blocked says whether channel ch must wait for the others.
func (a *aligner) blocked(ch int) bool {
	return a.current != 0 && a.barriers[ch] == a.current && !mutate.On(mutate.Alignment)
}

// ready returns the checkpoint whose snapshot is due. The caller takes it and calls
// conclude(id).
func (a *aligner) ready() (id uint64, ok bool) {
	if a.current == 0 {
		return 0, false
	}
	for ch, b := range a.barriers {
		if b != a.current && !a.ended[ch] {
			if mutate.On(mutate.Alignment) && a.any() {
				return a.current, true
			}
			return 0, false
		}
	}
	return a.current, true
}

func (a *aligner) any() bool {
	for _, b := range a.barriers {
		if b == a.current {
			return true
		}
	}
	return false
}

// allEnded says whether there are channels and all have ended.
func (a *aligner) allEnded() bool {
	for _, e := range a.ended {
		if !e {
			return false
		}
	}
	return len(a.ended) > 0
}
