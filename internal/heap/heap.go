package heap

// Push adds an element.
func Push[T any](all *[]T, x T, compare func(a, b T) int) {
	h := append(*all, x)
	i := len(h) - 1
	for i > 0 {
		p := (i - 1) / 2
		if compare(x, h[p]) >= 0 {
			break
		}
		h[i] = h[p]
		i = p
	}
	h[i] = x
	*all = h
}

// Pop takes the first element out.
func Pop[T any](all *[]T, compare func(a, b T) int) {
	h := *all
	n := len(h) - 1
	var none T
	h[0], h[n] = h[n], none
	*all = h[:n]
	Sink(*all, compare)
}

// Sink puts the first element, which has become larger, where it belongs.
func Sink[T any](h []T, compare func(a, b T) int) {
	if len(h) < 2 {
		return
	}
	x, i := h[0], 0
	for {
		c := 2*i + 1
		if c >= len(h) {
			break
		}
		if c+1 < len(h) && compare(h[c+1], h[c]) < 0 {
			c++
		}
		if compare(h[c], x) >= 0 {
			break
		}
		h[i] = h[c]
		i = c
	}
	h[i] = x
}
