// Package protos holds the control messages between processes, generated from
// control.proto. The actors convert them to and from the events and actions of the pure
// machines, which never see them. Start reading at control.proto.
package protos

//go:generate protoc -I . --go_out=paths=source_relative:. control.proto
