package snapshot

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"blink/graph"
	"blink/internal/codec"
)

// StateSchema is the stored form of one declared state, compared at restore.
type StateSchema struct {
	Name, Kind, Schema string
}

// SchemaOf is the stored form of a declared state.
func SchemaOf(s graph.State) StateSchema { return StateSchema{s.Name, s.Kind, s.Schema} }

// Places finds the stored states among the declared ones, by name, in any order: places[i] is
// where stored[i] is. Others may be declared as well. It is the one rule for what a changed
// program takes over: errors name every state that it cannot, each with its field. when says
// when they were stored, such as "in checkpoint 7".
func Places(stored, declared []StateSchema, when string) (places []int, errs []error) {
	for _, old := range stored {
		i := slices.IndexFunc(declared, func(d StateSchema) bool { return d.Name == old.Name })
		err := errors.New("was stored " + when + " and is not declared any more")
		if i >= 0 {
			err = old.becomes(declared[i], when)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("state %q: %w", old.Name, err))
		}
		places = append(places, i)
	}
	return places, errs
}

// becomes says why what was stored cannot be read as it is declared now.
func (s StateSchema) becomes(now StateSchema, when string) error {
	switch {
	case s.Kind != now.Kind:
		return fmt.Errorf("was a %s %s and is a %s now: rename it", s.Kind, when, now.Kind)
	case s.Schema == now.Schema:
		return nil
	}
	old, is := schemaParts(s), schemaParts(now)
	if old.fixed != is.fixed {
		return fmt.Errorf("the %s was %s %s and is %s now: keep it, or migrate", old.is, old.fixed, when, is.fixed)
	}
	keys, err := old.changes("the key", old.key, is.key, when, ".")
	if err != nil {
		return err
	}
	values, err := old.changes("the value", old.value, is.value, when, old.keys...)
	if err != nil {
		return err
	}
	return errors.Join(append(keys, values...)...)
}

// parts are what the schema of a state consists of, by its kind.
type parts struct {
	key   string // of keys alone, where they have a schema of their own
	value string
	fixed string // must stay as it is; is says what it is
	is    string
	inner string   // of the value, the field that users know; the rest is the runtime's
	keys  []string // fields of the value that are keys
}

// mapArrow stands between the schemas of a map's keys and of its values.
const mapArrow = "\n→\n"

func schemaParts(s StateSchema) parts {
	switch s.Kind {
	case "key":
		return parts{key: s.Schema}
	case "map":
		key, value, _ := strings.Cut(s.Schema, mapArrow)
		return parts{key: key, value: value}
	case "panes":
		window, entries, _ := strings.Cut(s.Schema, "\n")
		return parts{fixed: strings.TrimPrefix(window, "window "), is: "window", value: entries, inner: "Acc", keys: []string{"Key"}}
	case "splits":
		return parts{value: s.Schema, inner: "Split"}
	}
	return parts{value: s.Schema}
}

// changes tells how a schema has changed that values cannot follow.
func (p parts) changes(whole, old, now, when string, keys ...string) (errs []error, err error) {
	changes, err := codec.Compare(old, now, keys...)
	for _, c := range changes {
		what, do := p.called(whole, c.Path), "rename it, or migrate"
		if c.Key {
			do = "a key cannot change: keep it, or begin anew"
		}
		errs = append(errs, fmt.Errorf("%s was %s %s and is %s now: %s", what, c.Was, when, c.Is, do))
	}
	return errs, err
}

// called is how people call a path in what is stored.
func (p parts) called(whole, path string) string {
	for _, key := range p.keys {
		if rest, ok := strings.CutPrefix(path, key); ok {
			whole, path = "the key", rest
		}
	}
	path = strings.TrimPrefix(strings.TrimPrefix(path, p.inner), ".")
	switch {
	case path == "":
		return whole
	case whole == "the key":
		return fmt.Sprintf("field %s of the key", path)
	}
	return "field " + path
}
