// Package exchange is what travels between tasks: batches of records with the marks that
// lie between them, and the credits and openings that come back.
//
// A channel joins one task at the sending end of a link to one at its receiving end. The
// receiver opens it (Open), which grants the first credits; the sender may then send one
// batch for each credit, numbered without a gap, and one more, a reserve, when it carries
// a barrier or the end of the stream; the receiver returns a credit (Credit) when a batch is
// consumed. Every message carries the epoch and the attempt of the deployment, and is
// dropped by a task of another one.
//
// Inside a process the three travel as Go values. Between processes they are frames
// (frame.go) on the one connection that Links keeps for each pair of nodes: in order, or
// the connection is lost as a whole and Lost says so at both ends.
//
// Conns (conn.go) are those connections over TCP; the simulator has its own. Two processes get
// one by a handshake (conn_handshake.go). Each has a goroutine that reads (conn_read.go) and one
// that writes (conn_write.go). What a turn sends is written at its end by who sends it, or before
// if it is worth a call, as far as the kernel takes it at once (conn_direct_linux.go).
//
// Start reading at Batch, then Conns.
package exchange
