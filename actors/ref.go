package actors

// Ref names an actor: the node it lives on and its ID there. The ID of a root actor is its
// name, that of a child "parent/name". The zero Ref is nobody; what is told to nobody is
// dropped.
//
// A Ref carries no incarnation: actors that are replaced put the attempt into their name
// ("t3.0@7"), so that what was meant for one attempt cannot reach the next.
type Ref struct{ Node, ID string }

// IsZero says whether r is nobody.
func (r Ref) IsZero() bool { return r == Ref{} }

// String returns "node/id", and "nobody" for the zero Ref.
func (r Ref) String() string {
	if r.IsZero() {
		return "nobody"
	}
	return r.Node + "/" + r.ID
}
