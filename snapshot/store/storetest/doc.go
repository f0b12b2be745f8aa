// Package storetest is the conformance suite of store.Store: what every store must do, the
// in-memory twin as well as one across a network. Start reading at Run.
package storetest
