package operator

import "unsafe"

// chunk is how many records at most are handed on at once: so few that all of an operator's
// output is still in the cache for the next, and that pressure is soon felt.
const chunk = 32

// next is a Collector that an operator hands its output to. Whether it takes batches is found
// out once: a look at an interface costs as much as some records.
type next[T any] struct {
	Collector[T]
	batches BatchCollector[T] // the same; nil if it takes single records only
}

func nextOf[T any](c Collector[T]) next[T] {
	b, _ := c.(BatchCollector[T])
	return next[T]{c, b}
}

// collect hands records on.
func (n *next[T]) collect(records []T, times []int64) {
	if n.batches != nil {
		n.batches.CollectBatch(records, times)
		return
	}
	for i := range records {
		n.Collect(&records[i], times[i])
	}
}

// collectUntilHeld hands records on until pressure stops it, and says how many.
func (n *next[T]) collectUntilHeld(records []T, times []int64, p *Pressure) (done int) {
	if n.batches == nil {
		for ; done < len(records) && !p.Held(); done++ {
			n.Collect(&records[done], times[done])
		}
		return done
	}
	for done < len(records) && !p.Held() {
		end := min(done+chunk, len(records))
		n.batches.CollectBatch(records[done:end], times[done:end])
		done = end
	}
	return done
}

// slotBytes is about how much an operator hands on at once of records of its own.
const slotBytes = 4 << 10

// newSlots is where an operator makes records that it hands on together.
func newSlots[T any]() []T {
	var t T
	return make([]T, max(4, min(chunk, slotBytes/max(1, int(unsafe.Sizeof(t))))))
}
