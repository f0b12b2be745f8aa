package cluster

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// Nobody reads: whoever tells goes on all the same, and what is left out is counted.
func TestNotesKeepNobodyWaiting(t *testing.T) {
	var got []string
	reading := make(chan struct{})
	n := newNotes(func(line string) { <-reading; got = append(got, line) })
	for i := range 2 * maxNotes {
		n.tell(fmt.Sprint(i))
	}
	close(reading)
	n.close()
	n.tell("nobody hears this")
	left := slices.IndexFunc(got, func(line string) bool { return strings.Contains(line, "lines were left out") })
	if got[0] != "0" || left < 0 || len(got) > maxNotes+3 {
		t.Errorf("%d lines, the first %q, left out at %d", len(got), got[0], left)
	}
}

func TestWarningsOfTheRuntimeBecomeNotes(t *testing.T) {
	var got []string
	n := newNotes(func(line string) { got = append(got, line) })
	log := n.log()
	log.Info().Msg("all is well")
	for range 3 { // the same words
		log.Warn().Err(errors.New(`no luck with "x"`)).Str("actor", "te").Msg("the resource manager does not answer")
	}
	log.Error().Msg("root actor failed")
	n.close()
	want := []string{"the resource manager does not answer error: no luck with \"x\"", "root actor failed"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
