package heap

import "runtime"

// Usual is the floor of a process that runs tasks: its heap grows to twice this, and what
// GOGC says, before it is first collected.
const Usual = 32 << 20

// Floor makes the collector count so many bytes as live until release is called. They are
// never touched, so they take no memory of the machine; what may wait for the collector does.
func Floor(bytes int) (release func()) {
	weight := make([]byte, bytes)
	return func() { runtime.KeepAlive(weight) }
}
