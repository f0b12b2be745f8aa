package operator

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

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

// fits finds the stored states among the declared ones, by name, as snapshot.PlanRestore
// does: in any order, and others may be declared as well. places[i] is where stored[i] is.
func fits(declared, stored []snapshot.StateSchema) (places []int, err error) {
	for _, s := range stored {
		i := slices.IndexFunc(declared, func(d snapshot.StateSchema) bool { return d.Name == s.Name })
		switch {
		case i < 0:
			return nil, fmt.Errorf("state %q was stored and is not declared any more", s.Name)
		case declared[i] != s:
			return nil, fmt.Errorf("state %q was stored as a %s of\n%s\nand is now a %s of\n%s", s.Name, s.Kind, s.Schema, declared[i].Kind, declared[i].Schema)
		}
		places = append(places, i)
	}
	return places, nil
}
