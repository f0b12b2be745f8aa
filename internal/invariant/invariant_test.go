package invariant

import "testing"

func TestCheckIsSilentWhileTheInvariantHolds(t *testing.T) {
	Check(true, "never printed")
}

func TestABrokenInvariantPanicsWithItsText(t *testing.T) {
	defer func() {
		if got, want := recover(), "invariant: 3 batches in flight, credit 2"; got != want {
			t.Errorf("recovered %v, want %q", got, want)
		}
	}()
	Check(3 <= 2, "%d batches in flight, credit %d", 3, 2)
}
