create_clock -name clk_in -period 37.037 [get_ports {clk_in}]
