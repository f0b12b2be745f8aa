package oracle

import "blink/connector/nexmark"

// Query is a query by its name.
type Query struct {
	Name string
	// Run adds the rows of the query's result to a digest.
	Run func(in *Events, d *nexmark.Digest)
}

// Queries are all of them but Q12, whose rows differ from run to run.
func Queries() []Query {
	return []Query{
		digested("q0", Q0),
		digested("q1", Q1),
		digested("q2", Q2),
		digested("q3", Q3),
		digested("q4", Q4),
		digested("q5", Q5),
		digested("q7", Q7),
		digested("q8", Q8),
		digested("q9", Q9),
		digested("q10", Q10),
		digested("q11", Q11),
		digested("q13", Q13),
		digested("q14", Q14),
		digested("q15", Q15),
		digested("q16", Q16),
		digested("q17", Q17),
		digested("q18", Q18),
		digested("q19", Q19),
		digested("q20", Q20),
		digested("q21", Q21),
		digested("q22", Q22),
	}
}

func digested[R nexmark.Row](name string, query func(*Events, func(R))) Query {
	return Query{name, func(in *Events, d *nexmark.Digest) {
		query(in, func(r R) { r.AddTo(d) })
	}}
}
