// Serves an OCI registry with the referrers API on loopback, for tests: its
// arguments are the address to listen on and the folder for blobs.
package main

import (
	"fmt"
	"net"
	"net/http"
	"os"

	"github.com/google/go-containerregistry/pkg/registry"
)

func main() {
	listener, err := net.Listen("tcp", os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	blobs := registry.NewDiskBlobHandler(os.Args[2])
	handler := registry.New(registry.WithReferrersSupport(true), registry.WithBlobHandler(blobs))
	fmt.Fprintln(os.Stderr, http.Serve(listener, handler))
}
