(* techmap_celltype = "$sdffe" *)
module reset_over_enable (CLK, EN, SRST, D, Q);
  parameter WIDTH = 1;
  parameter CLK_POLARITY = 1'b1;
  parameter EN_POLARITY = 1'b1;
  parameter SRST_POLARITY = 1'b1;
  parameter SRST_VALUE = 0;
  input CLK, EN, SRST;
  input [WIDTH-1:0] D;
  output [WIDTH-1:0] Q;
  wire clears = SRST == SRST_POLARITY;
  wire takes = (EN == EN_POLARITY) | clears;
  \$dffe #(.WIDTH(WIDTH), .CLK_POLARITY(CLK_POLARITY), .EN_POLARITY(1'b1)) _TECHMAP_REPLACE_
    (.CLK(CLK), .EN(takes), .D(clears ? SRST_VALUE : D), .Q(Q));
endmodule
