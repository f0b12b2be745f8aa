package operator

import "blink/internal/codec"

// owning is add for accumulators that outlive the memory that the strings of records may lie in:
// what they get of it they get as copies. Where records have no strings, or accumulators, it is
// add itself.
func owning[A, T any](at *place, add func(acc *A, in *T)) func(acc *A, in *T) {
	records, err := codec.For[T]()
	accs, refused := codec.For[A]()
	switch {
	case err != nil || refused != nil || !records.Shares() || !accs.Shares():
		return add
	case accs.Flat():
		return owningKept(at, accs, add)
	}
	return owningGiven(at, records, add)
}

// owningKept copies what is new in an accumulator of which that is easily seen.
func owningKept[A, T any](at *place, accs *codec.Codec[A], add func(acc *A, in *T)) func(acc *A, in *T) {
	var was, none A
	return func(acc *A, in *T) {
		if !at.pressure.Lent.Any() {
			add(acc, in)
			return
		}
		was = *acc
		add(acc, in)
		accs.Detach(acc, &was, at.pressure.Lent)
		was = none
	}
}

// owningGiven copies all strings of a record before it goes into an accumulator, which may hold
// much already.
func owningGiven[A, T any](at *place, records *codec.Codec[T], add func(acc *A, in *T)) func(acc *A, in *T) {
	var own, none T
	return func(acc *A, in *T) {
		if !at.pressure.Lent.Any() {
			add(acc, in)
			return
		}
		own = *in
		records.Detach(&own, nil, at.pressure.Lent)
		add(acc, &own)
		own = none
	}
}
