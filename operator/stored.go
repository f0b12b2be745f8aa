package operator

import (
	"encoding/binary"
	"errors"

	"blink/internal/codec"
	"blink/snapshot"
)

// The data of a key group begins with how far event time had come in its task. A restored
// operator starts there, not at the beginning of time: what was late is late again, and
// nothing fires twice.

func appendMark(dst []byte, mark int64) []byte {
	return binary.LittleEndian.AppendUint64(dst, uint64(mark))
}

func cutMark(data []byte) (mark int64, rest []byte, err error) {
	if len(data) < 8 {
		return 0, nil, errors.New("the stored state is too short")
	}
	return int64(binary.LittleEndian.Uint64(data)), data[8:], nil
}

// fits finds the stored states among the declared ones, as snapshot.PlanRestore did before
// the task was deployed: places[i] is where stored[i] is.
func fits(declared, stored []snapshot.StateSchema) (places []int, err error) {
	places, errs := snapshot.Places(stored, declared, "in the checkpoint")
	return places, errors.Join(errs...)
}

// readerOf is c for the items of a part that holds one state: they may be of an older form. What
// no checkpoint holds, such as the first splits, comes without a form.
func readerOf[T any](c *codec.Codec[T], declared snapshot.StateSchema, p snapshot.Part) (*codec.Codec[T], error) {
	if len(p.States) == 0 {
		return c, nil
	}
	if _, err := fits([]snapshot.StateSchema{declared}, p.States); err != nil {
		return nil, err
	}
	return c.Reads(p.States[0].Schema)
}
