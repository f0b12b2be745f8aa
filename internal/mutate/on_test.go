//go:build mutate

package mutate

import "testing"

func TestOneGuardIsRemovedAtATime(t *testing.T) {
	defer Set(None)
	for _, set := range append(All(), None) {
		Set(set)
		for _, n := range append(All(), None) {
			if want := n == set && n != None; On(n) != want {
				t.Errorf("after Set(%v), On(%v) = %v", set, n, On(n))
			}
		}
	}
}
