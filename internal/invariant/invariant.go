package invariant

import "fmt"

// Check panics with "invariant: " and the formatted text unless ok holds. The
// text says which thing broke which rule, with the values that show it.
func Check(ok bool, format string, args ...any) {
	if !ok {
		panic("invariant: " + fmt.Sprintf(format, args...))
	}
}
