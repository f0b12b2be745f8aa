//go:build !mutate

package mutate

// On reports whether the guard n is removed: never, in this build.
func On(n Name) bool { return false }
