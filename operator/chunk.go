package operator

import "unsafe"

// chunk is how many records at most are handed on at once: so few that all of an operator's
// output is still in the cache for the next, and that pressure is soon felt.
const chunk = 32

// handOn gives records to a collector.
func handOn[T any](to Collector[T], records []T, times []int64) {
	if b, ok := to.(BatchCollector[T]); ok {
		b.CollectBatch(records, times)
		return
	}
	for i := range records {
		to.Collect(&records[i], times[i])
	}
}

// handOnUntilHeld hands records on until pressure stops it, and says how many.
func handOnUntilHeld[T any](to Collector[T], records []T, times []int64, p *Pressure) (n int) {
	b, ok := to.(BatchCollector[T])
	if !ok {
		for ; n < len(records) && !p.Held(); n++ {
			to.Collect(&records[n], times[n])
		}
		return n
	}
	for n < len(records) && !p.Held() {
		end := min(n+chunk, len(records))
		b.CollectBatch(records[n:end], times[n:end])
		n = end
	}
	return n
}

// slotBytes is about how much an operator hands on at once of records of its own.
const slotBytes = 4 << 10

// newSlots is where an operator makes records that it hands on together.
func newSlots[T any]() []T {
	var t T
	return make([]T, max(4, min(chunk, slotBytes/max(1, int(unsafe.Sizeof(t))))))
}
