// Package rdma follows queue pairs: which two belong together, what each sends in order,
// what was sent again, and what one side read from or wrote to the memory of the other.
//
// It keeps the state of its own transport only. Package flows drives it, packets in, events
// out.
package rdma
