package usage

import "testing"

var sink []byte

func TestWorkIsSeen(t *testing.T) {
	m := Begin()
	u := m.End()
	for u.CPU <= 0 || u.Allocs == 0 { // how soon they show is the machine's affair
		sink = make([]byte, 1<<16)
		u = m.End()
	}
	if u.Wall <= 0 {
		t.Errorf("%+v", u)
	}
}
