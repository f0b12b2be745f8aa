package graph

// VertexID numbers the vertices of a plan from 0.
type VertexID int

// TaskID names one parallel instance of a vertex.
type TaskID struct {
	Vertex  VertexID
	Subtask int
}

// Plan is the physical form of a job: operators chained into vertices, edges between
// them, and the pipelined regions of their tasks.
type Plan struct {
	Job      *Job
	Vertices []Vertex // Vertices[i].ID == i, in topological order
	Links    []Link   // Links[i].ID == i
}

// Vertex is a chain: a tree of operators that one task runs.
type Vertex struct {
	ID          VertexID
	Operators   []int // indexes into Job.Operators; the head first, parents before children
	Parallelism int
	Slot        string
	In, Out     []int // indexes into Plan.Links, ascending
}

// Link is an edge between two vertices. Its channels are numbered, at the sender, by the
// consumer's subtask and, at the consumer, by the sender's subtask.
type Link struct {
	ID                 int
	From, To           VertexID
	FromOp, ToOp       int // operator indexes
	Edge               int // which of ToOp's In this is
	Tag                string
	Ship               Ship
	Input              int
	Blocking           bool
	FromTasks, ToTasks int // parallelism at both ends
}

// Range is a half-open range of key groups.
type Range struct{ From, To int }
