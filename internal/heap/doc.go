// Package heap keeps a slice as a binary heap: its first element is the least one, and an element
// comes or goes in as many steps as the number of elements has bits. What is less, the caller says
// with each call, always in the same way. What is equal comes in any order.
//
// Start reading at Push.
package heap
