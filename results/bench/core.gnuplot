# core.gnuplot: gnuplot core.gnuplot draws core.pdf, 3.25 in wide
set encoding utf8
set terminal pdfcairo size 3.25in,7.20in font 'Helvetica,7' fontscale 1 linewidth 0.8
set output 'core.pdf'
set key above left Left reverse noenhanced samplen 2 font ',6'
set tics nomirror out scale 0.6 font ',5.5'
set title font ',6.5' offset 0,-0.6
set border 3
set multiplot layout 3,1 title 'Time of a step, tanh, n = 1117185' noenhanced
$s0_0 << END
 1000 0.2069 0.2069 0.2069
 2000 0.5859 0.5859 0.5859
 5000 3.105 3.105 3.105
 10000 13.73 13.73 13.73
END
$s0_1 << END
 1000 0.1819 0.1819 0.1819
 2000 0.5302 0.5302 0.5302
 5000 2.879 2.879 2.879
 10000 13.16 13.16 13.16
END
$s0_2 << END
 1000 0.08072 0.08072 0.08072
 2000 0.3023 0.3023 0.3023
 5000 1.771 1.771 1.771
 10000 7.051 7.051 7.051
END
$s0_3 << END
 1000 0.07689 0.07689 0.07689
 2000 0.2943 0.2943 0.2943
 5000 1.727 1.727 1.727
 10000 6.97 6.97 6.97
END
unset logscale x; unset nonlinear x; set autoscale x; set xtics autofreq; set format x '%g'
set logscale x; set format x '10^{%T}'
set xrange [*:*] noreverse
set xlabel 'residuals m' noenhanced
unset logscale y; unset nonlinear y; set autoscale y; set ytics autofreq; set format y '%g'
set logscale y; set format y '10^{%T}'
set yrange [*:*] noreverse
set ylabel 'seconds' noenhanced
set title '1 rank' noenhanced
plot $s0_0 using 1:2 with points lc rgb '#0072b2' pt 7 ps 0.35 title 'one step' noenhanced, \
  $s0_1 using 1:2 with lines lc rgb '#0072b2' dt 2 lw 1.5 title 'its flops at the rate of dgemm' noenhanced, \
  $s0_2 using 1:2 with points lc rgb '#d55e00' pt 6 ps 0.35 title 'K alone' noenhanced, \
  $s0_3 using 1:2 with lines lc rgb '#d55e00' dt 2 lw 1.5 title 'its flops at the rate of dsyrk' noenhanced
$s1_0 << END
 1000 0.1188 0.1188 0.1188
 2000 0.3298 0.3298 0.3298
 5000 1.708 1.708 1.708
 10000 7.314 7.314 7.314
END
$s1_1 << END
 1000 0.09491 0.09491 0.09491
 2000 0.2796 0.2796 0.2796
 5000 1.458 1.458 1.458
 10000 6.59 6.59 6.59
END
$s1_2 << END
 1000 0.04825 0.04825 0.04825
 2000 0.1718 0.1718 0.1718
 5000 0.9776 0.9776 0.9776
 10000 3.774 3.774 3.774
END
$s1_3 << END
 1000 0.03902 0.03902 0.03902
 2000 0.1482 0.1482 0.1482
 5000 0.8722 0.8722 0.8722
 10000 3.451 3.451 3.451
END
unset logscale x; unset nonlinear x; set autoscale x; set xtics autofreq; set format x '%g'
set logscale x; set format x '10^{%T}'
set xrange [*:*] noreverse
set xlabel 'residuals m' noenhanced
unset logscale y; unset nonlinear y; set autoscale y; set ytics autofreq; set format y '%g'
set logscale y; set format y '10^{%T}'
set yrange [*:*] noreverse
set ylabel 'seconds' noenhanced
set title '2 ranks' noenhanced
plot $s1_0 using 1:2 with points lc rgb '#0072b2' pt 7 ps 0.35 title 'one step' noenhanced, \
  $s1_1 using 1:2 with lines lc rgb '#0072b2' dt 2 lw 1.5 title 'its flops at the rate of dgemm' noenhanced, \
  $s1_2 using 1:2 with points lc rgb '#d55e00' pt 6 ps 0.35 title 'K alone' noenhanced, \
  $s1_3 using 1:2 with lines lc rgb '#d55e00' dt 2 lw 1.5 title 'its flops at the rate of dsyrk' noenhanced
$s2_0 << END
 1 0.2069 0.2069 0.2069
 2 0.1188 0.1188 0.1188
END
$s2_1 << END
 1 0.2069 0.2069 0.2069
 2 0.10345 0.10345 0.10345
END
$s2_2 << END
 1 13.73 13.73 13.73
 2 7.314 7.314 7.314
END
$s2_3 << END
 1 13.73 13.73 13.73
 2 6.865 6.865 6.865
END
unset logscale x; unset nonlinear x; set autoscale x; set xtics autofreq; set format x '%g'
set logscale x; set format x '10^{%T}'
set xrange [*:*] noreverse
set xlabel 'ranks' noenhanced
unset logscale y; unset nonlinear y; set autoscale y; set ytics autofreq; set format y '%g'
set logscale y; set format y '10^{%T}'
set yrange [*:*] noreverse
set ylabel 'seconds' noenhanced
set title '' noenhanced
plot $s2_0 using 1:2 with points lc rgb '#009e73' pt 6 ps 0.35 title 'one step, least m' noenhanced, \
  $s2_1 using 1:2 with lines lc rgb '#009e73' dt 2 lw 1.5 title 'ideal' noenhanced, \
  $s2_2 using 1:2 with points lc rgb '#e69f00' pt 7 ps 0.35 title 'one step, largest m' noenhanced, \
  $s2_3 using 1:2 with lines lc rgb '#e69f00' dt 2 lw 1.5 title 'ideal' noenhanced
unset multiplot
