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
 1000 0.2031 0.2031 0.2031
 2000 0.5821 0.5821 0.5821
 5000 3.053 3.053 3.053
 10000 13.74 13.74 13.74
END
$s0_1 << END
 1000 0.1769 0.1769 0.1769
 2000 0.5291 0.5291 0.5291
 5000 2.828 2.828 2.828
 10000 12.96 12.96 12.96
END
$s0_2 << END
 1000 0.07825 0.07825 0.07825
 2000 0.3057 0.3057 0.3057
 5000 1.786 1.786 1.786
 10000 7.154 7.154 7.154
END
$s0_3 << END
 1000 0.07437 0.07437 0.07437
 2000 0.2885 0.2885 0.2885
 5000 1.703 1.703 1.703
 10000 6.737 6.737 6.737
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
 1000 0.1209 0.1209 0.1209
 2000 0.3234 0.3234 0.3234
 5000 1.695 1.695 1.695
 10000 7.304 7.304 7.304
END
$s1_1 << END
 1000 0.09749 0.09749 0.09749
 2000 0.2782 0.2782 0.2782
 5000 1.478 1.478 1.478
 10000 6.777 6.777 6.777
END
$s1_2 << END
 1000 0.04988 0.04988 0.04988
 2000 0.1678 0.1678 0.1678
 5000 1.006 1.006 1.006
 10000 3.711 3.711 3.711
END
$s1_3 << END
 1000 0.03804 0.03804 0.03804
 2000 0.1448 0.1448 0.1448
 5000 0.8825 0.8825 0.8825
 10000 3.467 3.467 3.467
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
 1 0.2031 0.2031 0.2031
 2 0.1209 0.1209 0.1209
END
$s2_1 << END
 1 0.2031 0.2031 0.2031
 2 0.10155 0.10155 0.10155
END
$s2_2 << END
 1 13.74 13.74 13.74
 2 7.304 7.304 7.304
END
$s2_3 << END
 1 13.74 13.74 13.74
 2 6.87 6.87 6.87
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
