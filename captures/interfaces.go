package captures

// Tap is something that can be captured from, or cannot.
type Tap struct {
	Name      string
	Kind      string   // ethernet, loopback, any, tunnel, rdma, other
	Up        bool     // valid for network interfaces
	Addresses []string // or the network interface of an RDMA device
	Able      bool
	Why       string // it cannot be captured from; or what to know of it
}
