package taskexec

import (
	"fmt"
	"strings"
	"testing"
)

// heap holds records until it is told to advance.
type heap int

func (h *heap) Empty() bool { return *h == 0 }

func TestNothingLiesBetweenOperatorsAtABarrier(t *testing.T) {
	held := heap(0)
	c := &chain{ids: []string{"hot.combine"}, ops: []any{&held}}
	c.checkEmpty()
	defer func() {
		if said := fmt.Sprint(recover()); !strings.Contains(said, `invariant: operator "hot.combine" holds records at a barrier`) {
			t.Errorf("said %s", said)
		}
	}()
	held = 1
	c.checkEmpty()
}
