package operator

import (
	"encoding/binary"
	"errors"
	"fmt"

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

// fits refuses stored states that are not the first of the declared ones.
func fits(declared, stored []snapshot.StateSchema) error {
	for i, s := range stored {
		switch {
		case i >= len(declared):
			return fmt.Errorf("state %q was stored and is not declared any more", s.Name)
		case declared[i].Name != s.Name:
			return fmt.Errorf("state %q was stored in the place of state %q: keep states in their order and add new ones at the end", s.Name, declared[i].Name)
		case declared[i] != s:
			return fmt.Errorf("state %q was stored as a %s of\n%s\nand is now a %s of\n%s", s.Name, s.Kind, s.Schema, declared[i].Kind, declared[i].Schema)
		}
	}
	return nil
}
