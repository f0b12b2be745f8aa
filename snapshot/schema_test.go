package snapshot

import (
	"errors"
	"strings"
	"testing"
)

func TestOneRuleSaysWhatAChangedStateTakesOver(t *testing.T) {
	const entry = "Slice int64\nKey string\nAcc.N int32"
	for _, c := range []struct{ kind, old, now, want string }{
		{"value", "N int32", "Note string\nN int64", ""},
		{"list", "N int32", "Count=N* int64", ""},
		{"value", "At time.Time", "At string", "field At was time.Time in checkpoint 3 and is string now: rename it, or migrate"},
		{"value", " int64", " string", "the value was int64 in checkpoint 3 and is string now: rename it, or migrate"},
		{"value", "A string\nB bool", "A bool\nB string", "field A was string in checkpoint 3 and is bool now: rename it, or migrate\nfield B was bool in checkpoint 3 and is string now: rename it, or migrate"},
		{"value", "M[key] string\nM[value] bool", "M[key] int8\nM[value] bool", "field M[key] was string in checkpoint 3 and is int8 now: a key cannot change: keep it, or begin anew"},
		{"value", "M[key] string", "M[key] string\nM[value] bool", "what is stored: a schema with a map that lacks its values"},
		{"key", " int32", " int64", "the key was int32 in checkpoint 3 and is int64 now: a key cannot change: keep it, or begin anew"},
		{"key", "A int32", "A int32\nB bool", "field B of the key was not there in checkpoint 3 and is bool now: a key cannot change: keep it, or begin anew"},
		{"map", " string\n→\nN int32", " string\n→\nN int64", ""},
		{"map", " string\n→\nN int32", " int64\n→\nN int32", "the key was string in checkpoint 3 and is int64 now: a key cannot change: keep it, or begin anew"},
		{"map", "A string\n→\nN int64", "B string\n→\nN int32", "field A of the key was string in checkpoint 3 and is not there now: a key cannot change: keep it, or begin anew\nfield N was int64 in checkpoint 3 and is int32 now: rename it, or migrate"},
		{"map", "", " string\n→\nN int64", `what is stored: line "" of the schema: it has no kind`},
		{"panes", "window tumbling 1s\n" + entry, "window tumbling 1s\nSlice int64\nKey string\nAcc.Sum bool\nAcc.N int64", ""},
		{"panes", "window tumbling 1s\n" + entry, "window tumbling 2s\n" + entry, "the window was tumbling 1s in checkpoint 3 and is tumbling 2s now: keep it, or migrate"},
		{"panes", "window tumbling 1s\n" + entry, "window tumbling 1s\nSlice int64\nKey bool\nAcc.N string", "the key was string in checkpoint 3 and is bool now: a key cannot change: keep it, or begin anew\nfield N was int32 in checkpoint 3 and is string now: rename it, or migrate"},
		{"panes", "w\nSlice int64\nKey.A int8\nAcc int32", "w\nSlice int64\nKey.A int16\nAcc string", "field A of the key was int8 in checkpoint 3 and is int16 now: a key cannot change: keep it, or begin anew\nthe value was int32 in checkpoint 3 and is string now: rename it, or migrate"},
		{"splits", "Split.Offset int32\nClocks nothing", "Split.Offset int64\nSplit.File string\nClocks nothing", ""},
		{"splits", "Split.Offset int64", "Split.Offset string", "field Offset was int64 in checkpoint 3 and is string now: rename it, or migrate"},
		{"transactions", "Name string", "Name[] uint8", "field Name was string in checkpoint 3 and is []uint8 now: rename it, or migrate"},
		{"timer", "", "", ""},
	} {
		other := StateSchema{"other", "value", " bool"}
		places, errs := Places([]StateSchema{{"s", c.kind, c.old}}, []StateSchema{other, {"s", c.kind, c.now}}, "in checkpoint 3")
		got := ""
		if err := errors.Join(errs...); err != nil {
			got = strings.TrimPrefix(err.Error(), `state "s": `)
		}
		if got != c.want || len(places) != 1 || places[0] != 1 {
			t.Errorf("%s from %q to %q: places %v and\n%s, want\n%s", c.kind, c.old, c.now, places, got, c.want)
		}
	}
}
