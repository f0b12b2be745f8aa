package main

import (
	"encoding/json"
	"fmt"
)

// table prints the results of a benchmark as they come: as JSON, one object a line, or as lines
// below a head for people.
type table[R any] struct {
	console
	json bool
	head string // "": there is none
	line func(R) string
}

// add prints a result. An error is that of the measurement, or of the output.
func (t *table[R]) add(r R, err error) error {
	switch {
	case err != nil:
		return err
	case t.json:
		return json.NewEncoder(t.out).Encode(r)
	}
	_, err = fmt.Fprint(t.out, t.head, t.line(r))
	t.head = ""
	return err
}
