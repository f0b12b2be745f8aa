//go:build !mutate

package mutate

import "testing"

func TestWithoutTheTagNoGuardCanBeRemoved(t *testing.T) {
	for _, n := range All() {
		if On(n) {
			t.Errorf("On(%v) is true in a build without the tag", n)
		}
	}
}
