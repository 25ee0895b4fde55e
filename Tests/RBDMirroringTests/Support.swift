import RBDMirroring
import Testing
