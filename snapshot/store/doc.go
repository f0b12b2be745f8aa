// Package store keeps the objects of checkpoints: small interface, several homes.
//
// Store is what the runtime asks of an object store. Memory keeps objects for the life of
// the process, Files in a folder; package storetest holds the suite that every home passes.
//
// What has been Put is durable when Put returns: Files writes a temporary file, syncs it,
// renames it, and syncs the folder, so a crash at any moment leaves the old object or the
// new one, and perhaps a temporary file, which Files removes when it is opened.
//
// Start reading at Store.
package store
